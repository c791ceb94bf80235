import { describe, expect, test } from 'vitest';
import { Keys } from '../../../src/gateway/keys.ts';
import { readRequest } from '../../../src/gateway/read-request.ts';
import { readTransaction } from '../../../src/gateway/read-transaction.ts';
import type { RedisRequest } from '../../../src/ports/redis-peer.ts';

const keys = new Keys('macp');

function request(...[command = '', ...words]: readonly (string | Uint8Array)[]): RedisRequest {
  return { command: String(command), arguments: words.map((word) => Buffer.from(word)), arrived: 0 };
}

function read(...words: readonly (string | Uint8Array)[]): string {
  const operation = readRequest(request(...words), keys);
  return operation.kind === 'refused' ? operation.because : operation.kind;
}

describe('what macp-runtime sends is read', () => {
  test.each([
    ['create', 'SADD', 'macp:sessions', 'one'],
    ['append', 'RPUSH', 'macp:log:one', '{}'],
    ['save', 'SET', 'macp:session:one', '{}'],
    ['receipt', 'SETNX', 'macp:receipt:one', 'r'],
    ['receipt', 'SET', 'macp:receipt:one', 'r', 'nx'],
    ['anchor', 'SET', 'macp:anchor:one', 'a'],
    ['anchor', 'SET', 'macp:anchor:one', 'a', 'EX', '90000'],
    ['anchor', 'SETEX', 'macp:anchor:one', '90000', 'a'],
    ['DEL', 'DEL', 'macp:session:one'],
    ['SREM', 'SREM', 'macp:sessions', 'one'],
    ['list', 'SMEMBERS', 'macp:sessions'],
    ['get', 'GET', 'macp:session:one'],
    ['range', 'LRANGE', 'macp:log:one', '0', '-1'],
    ['exists', 'EXISTS', 'macp:log:one', 'macp:sessions'],
  ])('%s: %s %s %s', (kind, ...words) => {
    expect(read(...words)).toBe(kind);
  });

  test('a session id is everything behind the kind, colons and kinds included', () => {
    const operation = readRequest(request('GET', 'macp:session:log:x: y'), keys);
    expect(operation).toMatchObject({ kind: 'get', session: 'log:x: y' });
  });

  test('a prefix may hold a colon', () => {
    const operation = readRequest(request('GET', 'a:b:session:one'), new Keys('a:b'));
    expect(operation).toMatchObject({ kind: 'get', session: 'one' });
  });
});

describe('everything else is refused, with what is wrong', () => {
  test.each([
    ['unknown command INCR', 'INCR', 'macp:log:one'],
    ['key "other:log:one" does not begin with macp:', 'RPUSH', 'other:log:one', '{}'],
    ['key "macp:worker:one" is of no kind that macp-runtime has', 'GET', 'macp:worker:one'],
    ['RPUSH takes {prefix}:log:{session}, not "macp:session:one"', 'RPUSH', 'macp:session:one', '{}'],
    ['SADD takes {prefix}:sessions, not "macp:log:one"', 'SADD', 'macp:log:one', 'one'],
    ['key "macp:log:a/b" holds a session id that is not usable: it contains "/", "\\" or NUL', 'GET', 'macp:log:a/b'],
    ['session id ".." is not usable: it is ".."', 'SADD', 'macp:sessions', '..'],
    ['key "macp:log:" holds a session id that is not usable: it is empty', 'RPUSH', 'macp:log:', '{}'],
    ['RPUSH takes one log entry at a time, except between MULTI, DEL and EXEC', 'RPUSH', 'macp:log:one', '1', '2'],
    ['a receipt is stored once and never replaced: by SETNX, or SET with NX alone', 'SET', 'macp:receipt:one', 'r'],
    ['SET "macp:session:one" is not taken with "EX 9"', 'SET', 'macp:session:one', '{}', 'EX', '9'],
    ['SET "macp:anchor:one" is not taken with "EX 0"', 'SET', 'macp:anchor:one', 'a', 'EX', '0'],
    ['SET "macp:anchor:one" is not taken with "KEEPTTL"', 'SET', 'macp:anchor:one', 'a', 'KEEPTTL'],
    ['value is not an integer or out of range', 'LRANGE', 'macp:log:one', '0', '9223372036854775808'],
    ['value is not an integer or out of range', 'LRANGE', 'macp:log:one', '+1', '2'],
    ['DEL takes keys of one session at a time', 'DEL', 'macp:log:one', 'macp:log:two'],
    ['DEL names a key twice', 'DEL', 'macp:log:one', 'macp:log:one'],
  ])('%s', (because, ...words) => {
    expect(read(...words)).toBe(because);
  });

  test('bytes that are no text are shown, and nothing of them is lost in comparing', () => {
    expect(read('GET', Buffer.from([0x6d, 0xff]))).toBe('key "m�" is not UTF-8');
    expect(read('SADD', 'macp:sessions', Buffer.from([0xff]))).toMatch(/session id "�" is not usable: it is not UTF-8/);
  });
});

describe('of transactions', () => {
  const transaction = (...requests: readonly RedisRequest[]) => readTransaction(requests, keys);
  const del = (kind: string, session = 'one') => request('DEL', `macp:${kind}:${session}`);
  const push = (session = 'one') => request('RPUSH', `macp:log:${session}`, '{}', '{}');
  const srem = request('SREM', 'macp:sessions', 'one');

  test('the replacement of a log is taken, and the deletion of a session', () => {
    expect(transaction(del('log'))).toMatchObject({ kind: 'replace', pushes: [] });
    expect(transaction(del('log'), push(), push())).toMatchObject({ kind: 'replace', session: 'one' });
    expect(transaction(del('log'), del('session'), srem)).toMatchObject({ kind: 'delete', session: 'one' });
  });

  test.each([
    ['a push without a DEL', [push()]],
    ['a push to another log', [del('log'), push('two')]],
    ['a DEL of another document', [del('session'), push()]],
    ['a DEL after a push', [del('log'), push(), del('log')]],
    ['an SREM after a push', [del('log'), del('session'), push(), srem]],
    ['an SREM of another session', [del('log', 'two'), del('session', 'two'), srem]],
    ['a deletion that leaves the log', [del('session'), srem]],
    ['a read', [del('log'), request('GET', 'macp:session:one')]],
    ['a save', [request('SET', 'macp:session:one', '{}')]],
  ] as const)('%s is not', (_, requests) => {
    expect(transaction(...requests)).toMatchObject({ kind: 'refused', because: expect.stringContaining('nothing') });
  });
});
