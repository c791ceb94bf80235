import { expect, test } from 'vitest';
import { describeAddress } from '../../../src/redis/options.ts';

const server = { host: 'redis.test', port: 6379 };

test('an address is shown without its secrets, and says whether TLS is spoken', () => {
  expect(describeAddress({ ...server, database: 2, username: 'worker', password: 'secret' })).toBe(
    'Redis at redis.test:6379, database 2',
  );
  expect(describeAddress({ ...server, database: 0, tls: {} })).toBe('Redis at redis.test:6379, database 0 over TLS');
  expect(describeAddress({ nodes: [server, { host: '::1', port: 1 }], tls: {} })).toBe(
    'the Redis Cluster at redis.test:6379, [::1]:1 over TLS',
  );
});
