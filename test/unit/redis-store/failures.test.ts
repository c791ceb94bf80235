import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { classify, isUnknownScript, storeUse } from '../../../src/redis/failures.ts';

test.each([
  ['WRONGPASS invalid username-password pair or user is disabled.', 'INVALID_CONFIGURATION'],
  ['NOAUTH Authentication required.', 'INVALID_CONFIGURATION'],
  ["NOPERM this user has no permissions to run the 'set' command", 'INVALID_CONFIGURATION'],
  ["ERR The user executing the script can't run this command or subcommand", 'INVALID_CONFIGURATION'],
  ['ERR DB index is out of range', 'INVALID_CONFIGURATION'],
  ['MOVED 1234 127.0.0.1:7001', 'INVALID_CONFIGURATION'],
  ['ERR This instance has cluster support disabled', 'INVALID_CONFIGURATION'],
  ['self-signed certificate in certificate chain', 'INVALID_CONFIGURATION'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'STORE_CORRUPT'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'DISK_FULL'],
  ['MISCONF Errors writing to the AOF file: No space left on device', 'DISK_FULL'],
  ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist", 'STORE_UNAVAILABLE'],
  ["READONLY You can't write against a read only replica.", 'STORE_UNAVAILABLE'],
  ['LOADING Redis is loading the dataset in memory', 'STORE_UNAVAILABLE'],
  ['BUSY Redis is busy running a script.', 'STORE_UNAVAILABLE'],
  ['MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.', 'STORE_UNAVAILABLE'],
  ['CLUSTERDOWN The cluster is down', 'STORE_UNAVAILABLE'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'STORE_UNAVAILABLE'],
  ['UNBLOCKED force unblock from blocking operation, instance state changed', 'STORE_UNAVAILABLE'],
  ['ERR max number of clients reached', 'STORE_UNAVAILABLE'],
  ['Connection is closed.', 'STORE_UNAVAILABLE'],
  ['Command timed out', 'STORE_UNAVAILABLE'],
  ['connect ECONNREFUSED 127.0.0.1:6379', 'STORE_UNAVAILABLE'],
  ['getaddrinfo ENOTFOUND redis.test', 'STORE_UNAVAILABLE'],
  ['Socket timeout. Expecting data, but didn’t receive any in 10000ms.', 'STORE_UNAVAILABLE'],
  ['None of startup nodes is available', 'STORE_UNAVAILABLE'],
  ["Cluster isn't ready and enableOfflineQueue options is false", 'STORE_UNAVAILABLE'],
  ['Too many Cluster redirections. Last error: Error: MOVED', 'STORE_UNAVAILABLE'],
  ['ERR something new', 'UNEXPECTED'],
])('"%s" is %s', (text, code) => {
  const error = classify(new Error(text), 'Redis at redis.test:6379, database 0', storeUse);
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(text);
  expect(error.message).toContain('redis.test');
});

test('what the library adds to its errors, whole commands, is not passed on', () => {
  const error = Object.assign(new Error('WRONGPASS invalid'), { command: { name: 'auth', args: ['canary'] } });
  expect(inspect(classify(error, 'Redis', storeUse), { depth: 10, showHidden: true })).not.toContain('canary');
});

test('a connection that is only said to be closed is told with what closed it', () => {
  const error = classify(new Error('Connection is closed.'), 'Redis', storeUse, 'WRONGPASS invalid');
  expect(error).toMatchObject({ code: 'INVALID_CONFIGURATION' });
  expect(classify(new Error('Connection is closed.'), 'Redis', storeUse, 'Connection is closed.').code).toBe(
    'STORE_UNAVAILABLE',
  );
});

test('an error of this project stays as it is', () => {
  const error = new PersistenceError('STORE_CORRUPT', 'x');
  expect(classify(error, 'Redis', storeUse)).toBe(error);
});

test('a script that is not known is told from all else', () => {
  expect(isUnknownScript(new Error('NOSCRIPT No matching script. Please use EVAL.'))).toBe(true);
  expect(isUnknownScript(new Error('ERR no'))).toBe(false);
});
