import { Cluster, Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { deleteKeys, startRedis, startRedisCluster } from '../support/redis.ts';

test('a Redis that is killed comes back at its address with its data', async () => {
  await using server = await startRedis();
  const client = new Redis(server.address);
  try {
    await client.set('a', '1');
    await server.kill();
    await server.restart();
    expect(await client.get('a')).toBe('1');
  } finally {
    client.disconnect();
  }
});

test('only the keys of a prefix are deleted', async () => {
  await using server = await startRedis({ appendonly: 'no' });
  const client = new Redis(server.address);
  try {
    await client.mset({ 'test-*a': '1', 'test-*b': '2', 'test-c': '3' });
    await deleteKeys(server.address, 'test-*');
    expect(await client.keys('*')).toEqual(['test-c']);
  } finally {
    client.disconnect();
  }
});

test('a cluster serves the slots of all its masters, and of a killed one through its replica', async () => {
  await using cluster = await startRedisCluster({ replicas: 1 });
  const client = new Cluster(
    cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    // Long enough for the replica to be made master.
    { retryDelayOnFailover: 50, maxRedirections: 1000 },
  );
  try {
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    await cluster.nodes[0]?.kill();
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
  } finally {
    client.disconnect();
  }
});
