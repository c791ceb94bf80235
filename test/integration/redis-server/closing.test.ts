import { afterEach, describe, expect, test } from 'vitest';
import type { RedisServer } from '../../../src/redis-server/server.ts';
import { RawClient } from '../../support/redis-server/raw-client.ts';
import { HeldPeer } from './held-peer.ts';
import { openServer } from './open-server.ts';

let server: RedisServer;

afterEach(() => server.close());

async function withOneUnderWay(): Promise<{ readonly peer: HeldPeer; readonly client: RawClient }> {
  const peer = new HeldPeer();
  server = await openServer({ peer });
  const client = await RawClient.connect(server.address.port);
  await client.send('ASK');
  await peer.until(({ held }) => held.length === 1);
  return { peer, client };
}

describe('a server that is drained', () => {
  test('answers what is under way, takes nothing more, and ends', async () => {
    const { peer, client } = await withOneUnderWay();
    using idle = await RawClient.connect(server.address.port);
    expect(await idle.ask('PING')).toBe('+PONG');
    const drained = server.drain(new AbortController().signal);
    expect(await idle.closed()).toBe('');
    await client.send('ASK');
    peer.held[0]?.answer({ kind: 'integer', value: 7 });
    expect(await client.closed()).toBe(':7\r\n');
    await drained;
    expect(peer.held.length).toBe(1);
    expect(peer.gone).toBe(1);
    await expect(RawClient.connect(server.address.port)).rejects.toThrow('ECONNREFUSED');
  });

  test('cuts what is under way when the deadline comes', async () => {
    const { peer, client } = await withOneUnderWay();
    const deadline = new AbortController();
    const drained = server.drain(deadline.signal);
    deadline.abort();
    await drained;
    expect(await client.closed()).toBe('');
    expect(peer.gone).toBe(1);
    peer.held[0]?.answer({ kind: 'null' });
  });

  test('ends at once when the deadline has passed before', async () => {
    const { client } = await withOneUnderWay();
    await server.drain(AbortSignal.abort());
    expect(await client.closed()).toBe('');
  });
});

test('a server is closed as often as anybody likes, while it is drained too', async () => {
  const { client } = await withOneUnderWay();
  const drained = server.drain(new AbortController().signal);
  await Promise.all([server.close(), server.close(), drained]);
  await server.close();
  await server.drain(new AbortController().signal);
  expect(await client.closed()).toBe('');
});

describe('a server does not listen', () => {
  test('for everybody without a password', async () => {
    server = await openServer();
    await expect(openServer({ host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining('gateway.password'),
    });
  });

  test('where another does', async () => {
    server = await openServer();
    await expect(openServer({ port: server.address.port })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining('set another gateway.port'),
    });
  });
});
