import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { RedisReply } from '../../../src/ports/redis-peer.ts';
import type { RedisServer } from '../../../src/redis-server/server.ts';
import { requestBytes } from '../../support/redis-requests.ts';
import { RawClient } from '../../support/redis-server/raw-client.ts';
import { HeldPeer } from './held-peer.ts';
import { openServer } from './open-server.ts';

let peer: HeldPeer;
let server: RedisServer;
let client: RawClient;

beforeEach(async () => {
  peer = new HeldPeer();
  server = await openServer({ peer });
  client = await RawClient.connect(server.address.port);
});
afterEach(async () => {
  client[Symbol.dispose]();
  await server.close();
});

function text(value: string): RedisReply {
  return { kind: 'simple', text: value };
}

async function ask(count: number): Promise<void> {
  await client.write(Buffer.concat(Array.from({ length: count }, (_, index) => requestBytes('ASK', String(index)))));
  await peer.until(({ held }) => held.length >= count);
}

/** Answers that were given are on their way once the answer to a later one of another client is. */
async function settled(): Promise<void> {
  using other = await RawClient.connect(server.address.port);
  await other.ask('PING');
}

describe('requests', () => {
  test('are begun at once, in their order, while nothing is answered', async () => {
    await ask(5);
    expect(peer.held.map(({ requests }) => String(requests[0]?.arguments[0]))).toEqual(['0', '1', '2', '3', '4']);
    expect(client.received).toBe('');
  });

  test('are answered in their order, whatever the order of the answers', async () => {
    await ask(3);
    await client.send('PING');
    for (const index of [2, 0]) peer.held[index]?.answer(text(`answer ${index}`));
    expect(await client.answer()).toBe('+answer 0');
    peer.held[1]?.answer(text('answer 1'));
    expect(await client.until((all) => all.endsWith('+PONG\r\n'))).toBe('+answer 1\r\n+answer 2\r\n+PONG\r\n');
  });

  test('of one client do not wait for those of another', async () => {
    using other = await RawClient.connect(server.address.port);
    await ask(1);
    await other.send('ASK');
    await peer.until(({ held }) => held.length === 2);
    peer.held[1]?.answer(text('mine'));
    expect(await other.answer()).toBe('+mine');
    expect(client.received).toBe('');
  });

  test('between MULTI and EXEC are given to the peer together, and answered together', async () => {
    await client.write(
      Buffer.concat([['MULTI'], ['ASK', 'a'], ['ask', 'b'], ['EXEC']].map((one) => requestBytes(...one))),
    );
    await peer.until(({ held }) => held.length === 1);
    expect(peer.held[0]?.requests.map((request) => [request.command, ...request.arguments.map(String)])).toEqual([
      ['ASK', 'a'],
      ['ASK', 'b'],
    ]);
    expect(await client.until((all) => all.split('\r\n').length === 4)).toBe('+OK\r\n+QUEUED\r\n+QUEUED\r\n');
    peer.held[0]?.answer({ kind: 'array', items: [text('one'), { kind: 'error', text: 'ERR two' }] });
    expect(await client.until((all) => all.includes('two'))).toBe('*2\r\n+one\r\n-ERR two\r\n');
  });

  test('that a client took back are not begun', async () => {
    await client.write(Buffer.concat([['MULTI'], ['ASK'], ['DISCARD'], ['EXEC']].map((one) => requestBytes(...one))));
    const answers = await client.until((all) => all.split('\r\n').length === 5);
    expect(answers).toBe('+OK\r\n+QUEUED\r\n+OK\r\n-ERR EXEC without MULTI\r\n');
    expect(peer.held).toEqual([]);
  });
});

describe('a connection is cut, and nothing more is answered', () => {
  test('when a request has no certain answer: not what is behind it', async () => {
    await ask(3);
    peer.held[1]?.answer(text('behind'));
    peer.held[2]?.answer(text('far behind'));
    await settled();
    peer.held[0]?.answer(undefined);
    expect(await client.closed()).toBe('');
    await peer.until(({ gone }) => gone === 1);
  });

  test('when a request has no certain answer: not what comes later for what is before it', async () => {
    await ask(2);
    peer.held[1]?.answer(undefined);
    expect(await client.closed()).toBe('');
    peer.held[0]?.answer(text('late'));
    await settled();
    expect(client.received).toBe('');
  });

  test('when a transaction has no certain answer', async () => {
    await client.write(Buffer.concat([['MULTI'], ['ASK'], ['EXEC'], ['PING']].map((one) => requestBytes(...one))));
    await peer.until(({ held }) => held.length === 1);
    await settled();
    peer.held[0]?.answer(undefined);
    expect(await client.closed()).toBe('+OK\r\n+QUEUED\r\n');
  });

  test('when an answer could not be given in time, whatever stood in its way', async () => {
    await ask(2);
    const now = systemClock.elapsed();
    peer.held[1]?.answer({ kind: 'simple', text: 'in time', until: now + 60_000 });
    peer.held[0]?.answer({ kind: 'simple', text: 'late', until: now - 1 });
    expect(await client.closed()).toBe('');
    using slow = await RawClient.connect(server.address.port);
    slow.socket.pause();
    await slow.write(Buffer.concat([requestBytes('ASK'), requestBytes('ASK')]));
    await peer.until(({ held }) => held.length === 4);
    peer.held[2]?.answer({ kind: 'bulk', bytes: Buffer.alloc(20_000_000) });
    peer.held[3]?.answer({ kind: 'simple', text: 'behind', until: systemClock.elapsed() + 50 });
    while (systemClock.elapsed() < now + 100) await settled();
    slow.socket.resume();
    expect(await slow.closed()).not.toContain('behind');
  });

  test('as soon as an answer is late that waits for another, or for the client: it is not said to have failed', async () => {
    await ask(2);
    peer.held[1]?.answer({ kind: 'simple', text: 'behind', until: systemClock.elapsed() + 30 });
    expect(await client.closed()).toBe('');
    using slow = await RawClient.connect(server.address.port);
    slow.socket.pause();
    await slow.write(Buffer.concat([requestBytes('ASK'), requestBytes('ASK')]));
    await peer.until(({ held }) => held.length === 4);
    peer.held[2]?.answer({ kind: 'bulk', bytes: Buffer.alloc(20_000_000) });
    peer.held[3]?.answer({ kind: 'simple', text: 'behind', until: systemClock.elapsed() + 30 });
    await peer.until(({ gone }) => gone === 2);
  });

  test('when the peer says so, and only that one', async () => {
    using other = await RawClient.connect(server.address.port);
    await ask(1);
    await other.send('ASK');
    await peer.until(({ held }) => held.length === 2);
    peer.clients[0]?.cut('for a test');
    peer.clients[0]?.cut('again');
    expect(await client.closed()).toBe('');
    peer.held[1]?.answer(text('still here'));
    expect(await other.answer()).toBe('+still here');
    expect(peer.gone).toBe(1);
  });

  test('when a stream of values fails, or has others than it announced', async () => {
    const failing = async function* (): AsyncIterable<readonly Uint8Array[]> {
      yield [Buffer.from('a')];
      throw new Error('for a test');
    };
    const short = async function* (): AsyncIterable<readonly Uint8Array[]> {
      yield [Buffer.from('a')];
    };
    const long = async function* (): AsyncIterable<readonly Uint8Array[]> {
      yield [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')];
    };
    for (const chunks of [failing, short, long]) {
      using one = await RawClient.connect(server.address.port);
      const before = peer.held.length;
      await one.write(Buffer.concat([requestBytes('ASK'), requestBytes('PING')]));
      await peer.until(({ held }) => held.length > before);
      peer.held[before]?.answer({ kind: 'stream', of: 'array', count: 2, chunks: chunks() });
      expect(await one.closed()).not.toContain('PONG');
    }
  });

  test('and what was to be read for it is let go', async () => {
    let released = 0;
    const endless = async function* (): AsyncIterable<readonly Uint8Array[]> {
      try {
        for (;;) yield [Buffer.alloc(100_000)];
      } finally {
        released += 1;
      }
    };
    await ask(1);
    client.socket.pause();
    peer.held[0]?.answer({ kind: 'stream', of: 'array', count: Number.MAX_SAFE_INTEGER, chunks: endless() });
    await settled();
    client.socket.destroy();
    await peer.until(({ gone }) => gone === 1);
    await settled();
    expect(released).toBe(1);
  });
});

describe('a client that has sent its last', () => {
  test('is answered what it asked, and closed', async () => {
    await ask(2);
    client.socket.end();
    peer.held[1]?.answer(text('b'));
    peer.held[0]?.answer(text('a'));
    expect(await client.closed()).toBe('+a\r\n+b\r\n');
    await peer.until(({ gone }) => gone === 1);
  });

  test('with QUIT is answered no more than that', async () => {
    await client.write(Buffer.concat([requestBytes('ASK'), requestBytes('QUIT'), requestBytes('ASK')]));
    await peer.until(({ held }) => held.length === 1);
    peer.held[0]?.answer(text('a'));
    expect(await client.closed()).toBe('+a\r\n+OK\r\n');
    expect(peer.held.length).toBe(1);
  });

  test('in the middle of a request leaves nothing behind', async () => {
    await client.write('*2\r\n$3\r\nASK\r\n$10\r\nhalf');
    client.socket.end();
    expect(await client.closed()).toBe('');
    expect(peer.held).toEqual([]);
  });
});
