import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entryText, snapshotText } from '../support/commands.ts';
import { gatewayPort, untilGatewayOpen } from '../support/gateway-client.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { QueueProgram } from '../support/queue-program.ts';

const redis = useOneRedis();
const password = 'a secret';
let program: QueueProgram;
let port: number;

beforeAll(async () => {
  program = new QueueProgram({ MACP_PERSIST_GATEWAY_PASSWORD: password });
  const started = program.start(['start', '--gateway-port', '0']);
  await untilGatewayOpen(started);
  port = await gatewayPort(started);
  await redis.client.config('SET', 'requirepass', password);
});
afterAll(() => program[Symbol.asyncDispose]());

/** What the backend of macp-runtime asks for, as a person types it. JSON holds no single quotes. */
function requestsOf(session: string): readonly string[] {
  const [log, snapshot, receipt, anchor] = ['log', 'session', 'receipt', 'anchor'].map(
    (kind) => `macp:${kind}:${session}`,
  );
  const entry = (mark: string): string => `'${entryText(mark)}'`;
  return [
    'PING',
    'ECHO hello',
    'SELECT 0',
    'CLIENT SETNAME somebody',
    'CLIENT GETNAME',
    `SADD macp:sessions ${session}`,
    `SADD macp:sessions ${session}`,
    `RPUSH ${log} ${entry('m1')}`,
    `rpush ${log} ${entry('m2')}`,
    `SET ${snapshot} '${snapshotText('s1', session)}'`,
    `GET ${snapshot}`,
    `GET ${receipt}`,
    `SETNX ${receipt} first`,
    `SETNX ${receipt} second`,
    `SET ${receipt} third NX`,
    `GET ${receipt}`,
    `SET ${anchor} a EX 90000`,
    `SETEX ${anchor} 90000 b`,
    `GET ${anchor}`,
    `LRANGE ${log} 0 -1`,
    `LRANGE ${log} -1 -1`,
    `LRANGE ${log} 5 9`,
    `EXISTS ${log} ${snapshot} macp:sessions`,
    'SMEMBERS macp:sessions',
    'MULTI',
    `DEL ${log}`,
    `RPUSH ${log} ${entry('checkpoint')}`,
    'EXEC',
    `LRANGE ${log} 0 -1`,
    'MULTI',
    `DEL ${snapshot}`,
    `DEL ${log}`,
    `DEL ${receipt}`,
    `DEL ${anchor}`,
    `SREM macp:sessions ${session}`,
    'EXEC',
    `EXISTS ${log} ${snapshot} ${receipt} ${anchor}`,
    'SMEMBERS macp:sessions',
    'MULTI',
    'DISCARD',
    `GET`,
  ];
}

/** All that redis-cli prints, with the types that it was told. */
async function typed(at: number, words: readonly string[], requests: readonly string[]): Promise<string> {
  const child = spawn('redis-cli', ['-p', `${at}`, '--no-raw', ...words], { env: { PATH: process.env['PATH'] } });
  let said = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (text) => (said += text));
  child.stdin.end(`${requests.join('\n')}\n`);
  await once(child, 'close');
  return said;
}

describe('redis-cli', () => {
  test.each([
    ['RESP2, and a password alone', ['-2', '-a', password]],
    ['RESP3', ['-3', '-a', password]],
    ['a user and a database', ['--user', 'default', '--pass', password, '-n', '0']],
  ])('with %s is told by a gateway what a Redis tells it', async (_, words) => {
    const all = [...words, '--no-auth-warning'];
    const requests = requestsOf('typed');
    const told = await typed(port, all, requests);
    expect(told).toBe(await typed(redis.server.port, all, requests));
    expect(told).toContain('(integer) 2');
  });

  test('with the wrong password, or none, is let in by neither', async () => {
    for (const words of [[], ['-a', 'wrong', '--no-auth-warning']]) {
      const told = await typed(port, words, ['SMEMBERS macp:sessions']);
      expect(told).toBe(await typed(redis.server.port, words, ['SMEMBERS macp:sessions']));
      expect(told).toContain('NOAUTH');
    }
  });
});

describe('ioredis', () => {
  /** What it is told, one after the other and then all at once. */
  async function told(at: number): Promise<readonly unknown[]> {
    const client = new Redis({ port: at, password, db: 0, connectionName: 'somebody' });
    try {
      const [log, snapshot] = ['macp:log:called', 'macp:session:called'];
      const answers: unknown[] = [
        await client.sadd('macp:sessions', 'called'),
        await client.rpush(log, entryText('m1')),
        await client.client('GETNAME'),
        await client.set(snapshot, snapshotText('s1', 'called')),
        await client.getBuffer(snapshot),
        await client.setnx('macp:receipt:called', Buffer.from([0, 255, 13, 10])),
        await client.getBuffer('macp:receipt:called'),
        await client.multi().del(log).rpush(log, entryText('c')).exec(),
        await Promise.all(Array.from({ length: 100 }, (_, index) => client.rpush(log, entryText(`${index}`)))),
        await client.lrange(log, 0, -1),
        await client.smembers('macp:sessions'),
      ];
      const deletion = client.pipeline();
      for (const kind of ['session', 'log', 'receipt', 'anchor']) deletion.del(`macp:${kind}:called`);
      answers.push(await deletion.srem('macp:sessions', 'called').exec());
      answers.push(await client.exists(log, snapshot));
      return answers;
    } finally {
      client.disconnect();
    }
  }

  test('is told by a gateway what a Redis tells it', async () => {
    expect(await told(port)).toEqual(await told(redis.server.port));
  });
});
