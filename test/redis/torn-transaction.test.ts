import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startRedis } from '../support/redis.ts';

test('what a kill left of a transaction is not carried out by a Redis that is started again, nor at any later start', async () => {
  await using server = await startRedis();
  const file = join(server.directory, 'appendonlydir/appendonly.aof.1.incr.aof');
  const client = new Redis(server.address);
  client.on('error', () => undefined);
  const write = () => client.eval("redis.call('RPUSH', KEYS[1], 'a') redis.call('RPUSH', KEYS[1], 'b')", 1, 'list');
  await write();
  await server.kill();
  truncateSync(file, statSync(file).size - 25);
  await server.restart();
  expect(await client.lrange('list', 0, -1)).toEqual([]);
  await write();
  await server.kill();
  await server.restart();
  expect(await client.lrange('list', 0, -1)).toEqual(['a', 'b']);
  client.disconnect();
});
