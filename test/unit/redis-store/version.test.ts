import { expect, test } from 'vitest';
import { assertVersion, type ServerFacts } from '../../../src/redis/durability.ts';

const server = (version: string | undefined): ServerFacts => ({
  version,
  role: 'master',
  replicas: 0,
  appendonly: 'yes',
  appendfsync: 'always',
  noAppendfsyncOnRewrite: 'no',
  maxmemory: 0,
  maxmemoryPolicy: 'noeviction',
});

const judge = (...versions: readonly (string | undefined)[]) =>
  assertVersion({ servers: versions.map(server), weaknesses: [] }, 'redis://one');

test.each(['6.2.14', '5.0', '2.8.24'])('Redis %s is refused, also where another server is newer', (version) => {
  expect(() => judge('7.2.0', version)).toThrow(
    expect.objectContaining({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining(`is Redis ${version};`),
    }),
  );
});

test.each(['7.0.0', '8.2.1', '10.0.0', undefined])('Redis %s is taken', (version) => {
  expect(judge(version)).toBeUndefined();
});
