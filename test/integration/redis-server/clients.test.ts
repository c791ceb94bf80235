import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RedisServer } from '../../../src/redis-server/server.ts';
import { KeyValuePeer } from './key-value-peer.ts';
import { openServer } from './open-server.ts';

let peer: KeyValuePeer;
let server: RedisServer;
let client: Redis;

beforeEach(() => {
  peer = new KeyValuePeer();
});
afterEach(async () => {
  client.disconnect();
  await server.close();
});

async function connect(password?: string): Promise<void> {
  server = await openServer({ peer, password });
  client = new Redis({ port: server.address.port, lazyConnect: true, ...(password ? { password } : {}) });
  await client.connect();
}

describe('ioredis finds what it looks for', () => {
  test.each([undefined, 'a password'])('with its ready check, and the password %j', async (password) => {
    await connect(password);
    expect(client.status).toBe('ready');
    expect(await client.ping()).toBe('PONG');
    expect(await client.set('key', 'value')).toBe('OK');
    expect(await client.get('key')).toBe('value');
    expect(await client.get('none')).toBeNull();
    expect(await client.info()).toMatch(/^macp_persist_gateway:1\r$/m);
  });

  test('in transactions, lists and sets', async () => {
    await connect();
    expect(await client.multi().del('list').rpush('list', 'a').rpush('list', 'b').exec()).toEqual([
      [null, 0],
      [null, 1],
      [null, 2],
    ]);
    expect(peer.begun.map((requests) => requests.map(({ command }) => command))).toEqual([['DEL', 'RPUSH', 'RPUSH']]);
    expect(await client.lrange('list', 0, -1)).toEqual(['a', 'b']);
    expect(await client.sadd('set', 'x', 'y')).toBe(2);
    expect(new Set(await client.smembers('set'))).toEqual(new Set(['x', 'y']));
    await expect(client.lpush('list', 'c')).rejects.toThrow("ERR unknown command 'lpush'");
    await expect(client.multi().lpush('list', 'c').rpush('list', 'd').exec()).rejects.toThrow('EXECABORT');
    expect(await client.lrange('list', 0, -1)).toEqual(['a', 'b']);
  });

  test('with thousands of requests at once, each with its own answer', async () => {
    await connect();
    const numbers = Array.from({ length: 5_000 }, (_, index) => index);
    await Promise.all(numbers.map((number) => client.set(`key-${number}`, `value-${number}`)));
    const values = await Promise.all(numbers.map((number) => client.get(`key-${number}`)));
    expect(values).toEqual(numbers.map((number) => `value-${number}`));
  });
});
