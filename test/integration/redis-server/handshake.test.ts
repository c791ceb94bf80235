import { afterEach, describe, expect, test } from 'vitest';
import type { RedisServer } from '../../../src/redis-server/server.ts';
import { requestBytes } from '../../support/redis-requests.ts';
import { RawClient } from '../../support/redis-server/raw-client.ts';
import { KeyValuePeer } from './key-value-peer.ts';
import { openServer } from './open-server.ts';

const peer = new KeyValuePeer();
let server: RedisServer;

afterEach(() => server.close());

/** All that is answered to these requests, and to a QUIT behind them, as lines. */
async function talk(requests: readonly string[], password?: string): Promise<readonly string[]> {
  server = await openServer({ peer, password });
  using client = await RawClient.connect(server.address.port);
  await client.write(Buffer.concat([...requests, 'QUIT'].map((one) => requestBytes(...one.split(' ')))));
  const lines = (await client.closed()).split('\r\n');
  expect(lines.pop()).toBe('');
  return lines;
}

const wrong = '-WRONGPASS invalid username-password pair or user is disabled.';
const noAuthentication = '-NOAUTH Authentication required.';
/** What HELLO answers, with each name before its value. */
const greeting = (head: string, protocol: number, id = 1, none = '*0') =>
  `${head} $6 server $12 macp-persist $7 version $5 7.0.0 $5 proto :${protocol} $2 id :${id} $4 mode $10 standalone $4 role $6 master $7 modules ${none}`.split(
    ' ',
  );

describe('without a password', () => {
  test.each<[string, readonly string[]]>([
    ['PING', ['+PONG']],
    ['ping hello', ['$5', 'hello']],
    ['ECHO hello', ['$5', 'hello']],
    ['ECHO', ["-ERR wrong number of arguments for 'echo' command"]],
    ['SELECT 0', ['+OK']],
    ['SELECT 1', ['-ERR DB index is out of range']],
    ['SELECT x', ['-ERR invalid DB index']],
    ['CLIENT SETINFO LIB-NAME redis-rs', ['+OK']],
    ['CLIENT setinfo lib-ver 1.2.3', ['+OK']],
    ['CLIENT SETINFO color blue', ["-ERR Unrecognized option 'color'"]],
    ['CLIENT ID', [':1']],
    ['CLIENT GETNAME', ['$-1']],
    ['CLIENT SETNAME', ["-ERR wrong number of arguments for 'client|setname' command"]],
    ['CLIENT KILL x', ["-ERR unknown subcommand 'KILL' of CLIENT"]],
    ['CLIENT', ["-ERR wrong number of arguments for 'client' command"]],
    ['COMMAND', ['*0']],
    ['COMMAND DOCS', ['*0']],
    ['COMMAND COUNT', [':7']],
    ['COMMAND GETKEYS x', ["-ERR unknown subcommand 'GETKEYS' of COMMAND"]],
    ['RESET', ['+RESET']],
    ['HELLO', greeting('*14', 2)],
    ['HELLO 2', greeting('*14', 2)],
    ['HELLO 3', greeting('%7', 3)],
    ['HELLO 3 AUTH default anything', greeting('%7', 3)],
    ['HELLO 4', ['-NOPROTO unsupported protocol version']],
    ['HELLO x', ['-ERR Protocol version is not an integer or out of range']],
    ['HELLO 3 AUTH default', ["-ERR Syntax error in HELLO option 'AUTH'"]],
    ['HELLO 3 CLIENT x', ["-ERR Syntax error in HELLO option 'CLIENT'"]],
    ['AUTH password', ['-ERR AUTH <password> called without any password configured for the default user.']],
    ['AUTH default password', ['+OK']],
    ['FLUSHALL', ["-ERR unknown command 'FLUSHALL'"]],
    ["x\u0001'y", ["-ERR unknown command 'x??y'"]],
    ['GET', ["-ERR wrong number of arguments for 'get' command"]],
    ['GET a b', ["-ERR wrong number of arguments for 'get' command"]],
    ['GET none', ['$-1']],
  ])('%s', async (request, lines) => {
    expect(await talk([request])).toEqual([...lines, '+OK']);
  });

  test('nothing is there in RESP3 as RESP3 has it, and after RESET as RESP2 has it', async () => {
    const answers = await talk([
      'HELLO 3',
      'GET none',
      'SADD set x',
      'SMEMBERS set',
      'COMMAND DOCS',
      'RESET',
      'GET none',
    ]);
    expect(answers).toEqual([...greeting('%7', 3), '_', ':1', '~1', '$1', 'x', '%0', '+RESET', '$-1', '+OK']);
  });

  test('a client has the name that it gave itself, until RESET', async () => {
    const named = await talk([
      'CLIENT SETNAME me',
      'CLIENT GETNAME',
      'HELLO 2 SETNAME other',
      'CLIENT GETNAME',
      'RESET',
      'CLIENT GETNAME',
    ]);
    expect(named).toEqual(['+OK', '$2', 'me', ...greeting('*14', 2), '$5', 'other', '+RESET', '$-1', '+OK']);
  });

  test('a name that is none changes nothing', async () => {
    server = await openServer({ peer });
    using client = await RawClient.connect(server.address.port);
    const refused = '-ERR Client names cannot contain spaces, newlines or special characters.';
    expect(await client.ask('CLIENT', 'SETNAME', 'two words')).toBe(refused);
    expect(await client.ask('HELLO', '3', 'SETNAME', 'line\nend')).toBe(refused);
    expect(await client.ask('GET', 'none')).toBe('$-1');
  });
});

describe('with a password', () => {
  test.each<[readonly string[], readonly string[]]>([
    [
      ['AUTH secret', 'PING'],
      ['+OK', '+PONG'],
    ],
    [
      ['AUTH default secret', 'PING'],
      ['+OK', '+PONG'],
    ],
    [
      ['HELLO 3 AUTH default secret SETNAME me', 'CLIENT GETNAME'],
      [...greeting('%7', 3), '$2', 'me'],
    ],
    [['PING', 'GET x', 'NONE', 'CLIENT ID', 'SELECT 0', 'INFO', 'MULTI', 'COMMAND'], Array(8).fill(noAuthentication)],
    [
      ['AUTH wrong', 'PING'],
      [wrong, noAuthentication],
    ],
    [
      ['AUTH other secret', 'PING'],
      [wrong, noAuthentication],
    ],
    [
      ['HELLO 3 AUTH default wrong', 'PING'],
      [wrong, noAuthentication],
    ],
    [
      ['AUTH secret', 'AUTH wrong', 'PING'],
      ['+OK', wrong, '+PONG'],
    ],
    [
      ['AUTH secret', 'RESET', 'PING'],
      ['+OK', '+RESET', noAuthentication],
    ],
  ])('%j', async (requests, lines) => {
    expect(await talk(requests, 'secret')).toEqual([...lines, '+OK']);
  });

  test('HELLO alone says what it needs', async () => {
    expect((await talk(['HELLO 3'], 'secret'))[0]).toMatch(
      /^-NOAUTH HELLO must be called with the client already auth/,
    );
  });

  test('who is wrong three times is closed, and RESET does not help', async () => {
    const tries = ['AUTH a', 'RESET', 'HELLO 3 AUTH default b', 'AUTH c', 'AUTH secret', 'PING'];
    server = await openServer({ peer, password: 'secret' });
    using client = await RawClient.connect(server.address.port);
    await client.write(Buffer.concat(tries.map((one) => requestBytes(...one.split(' ')))));
    expect(await client.closed()).toBe(`${wrong}\r\n+RESET\r\n${wrong}\r\n${wrong}\r\n`);
  });

  test('who has not shown it may send no large requests', async () => {
    server = await openServer({ peer, password: 'secret' });
    using client = await RawClient.connect(server.address.port);
    await client.send('AUTH', 'x'.repeat(5_000));
    expect(await client.closed()).toBe('-ERR Protocol error: invalid bulk length\r\n');
    using other = await RawClient.connect(server.address.port);
    await other.send('HELLO', ...Array(20).fill('x'));
    expect(await other.closed()).toBe('-ERR Protocol error: invalid multibulk length\r\n');
    using third = await RawClient.connect(server.address.port);
    await third.write(Buffer.concat([requestBytes('AUTH', 'secret'), requestBytes('ECHO', 'x'.repeat(5_000))]));
    expect(await third.until((text) => text.length > 5_000)).toContain('$5000');
  });
});

describe('between MULTI and EXEC', () => {
  const abort = '-EXECABORT Transaction discarded because of previous errors.';

  test.each<[readonly string[], readonly string[]]>([
    [
      ['MULTI', 'EXEC'],
      ['+OK', '*0'],
    ],
    [['EXEC'], ['-ERR EXEC without MULTI']],
    [['DISCARD'], ['-ERR DISCARD without MULTI']],
    [
      ['MULTI', 'NONE', 'SET a b', 'EXEC', 'GET a'],
      ['+OK', "-ERR unknown command 'NONE'", '+QUEUED', abort, '$-1'],
    ],
    [
      ['MULTI', 'SET a b', 'GET', 'EXEC', 'GET a'],
      ['+OK', '+QUEUED', "-ERR wrong number of arguments for 'get' command", abort, '$-1'],
    ],
    [
      ['MULTI', 'PING', 'EXEC'],
      ['+OK', "-ERR Command 'ping' not allowed inside a transaction", abort],
    ],
    [
      ['MULTI', 'MULTI', 'EXEC'],
      ['+OK', "-ERR Command 'multi' not allowed inside a transaction", abort],
    ],
    [
      ['MULTI', 'SET a b', 'RESET', 'EXEC', 'GET a'],
      ['+OK', '+QUEUED', '+RESET', '-ERR EXEC without MULTI', '$-1'],
    ],
    [
      ['MULTI', 'EXEC x', 'EXEC'],
      ['+OK', "-ERR wrong number of arguments for 'exec' command", abort],
    ],
  ])('%j', async (requests, lines) => {
    expect(await talk(requests)).toEqual([...lines, '+OK']);
  });

  test('a client that ends has done nothing', async () => {
    const before = peer.begun.length;
    expect(await talk(['MULTI', 'SET a b'])).toEqual(['+OK', '+QUEUED', '+OK']);
    expect(peer.begun.length).toBe(before);
  });
});
