import { afterEach, describe, expect, test } from 'vitest';
import { type RedisServerLimits, redisServerLimits } from '../../../src/redis-server/limits.ts';
import type { RedisServer, RedisServerOptions } from '../../../src/redis-server/server.ts';
import { requestBytes } from '../../support/redis-requests.ts';
import { RawClient } from '../../support/redis-server/raw-client.ts';
import { keptLog } from '../http-server/log-lines.ts';
import { HeldPeer } from './held-peer.ts';
import { KeyValuePeer } from './key-value-peer.ts';
import { openServer } from './open-server.ts';

let server: RedisServer;
const { logger, lines } = keptLog('info');

afterEach(async () => {
  await server.close();
  lines.length = 0;
});

function reasons(): readonly unknown[] {
  return lines.map(({ reason }) => reason);
}

async function open(limits: Partial<RedisServerLimits>, options: Partial<RedisServerOptions> = {}): Promise<void> {
  server = await openServer({ limits: { ...redisServerLimits, ...limits }, logger, ...options });
}

function many(count: number, ...parts: readonly string[]): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => requestBytes(...parts)));
}

const quick = { ...redisServerLimits.patience, roundMs: 5, introduction: Number.POSITIVE_INFINITY };

describe('of one client', () => {
  test('no more requests are begun than may be under way; the rest follow as those are answered', async () => {
    const peer = new HeldPeer();
    await open({ underWay: 10 }, { peer });
    using client = await RawClient.connect(server.address.port);
    await client.write(many(35, 'ASK'));
    for (let answered = 0; answered < 35; answered += 1) {
      await peer.until(({ held }) => held.length === Math.min(answered + 10, 35));
      peer.held[answered]?.answer({ kind: 'integer', value: answered });
    }
    const answers = await client.until((text) => text.endsWith(':34\r\n'));
    expect(answers).toBe(Array.from({ length: 35 }, (_, index) => `:${index}\r\n`).join(''));
  });

  test('no more bytes of requests are begun than may be under way', async () => {
    const peer = new HeldPeer();
    await open({ underWayBytes: 10_000 }, { peer });
    using client = await RawClient.connect(server.address.port);
    client.socket.write(many(100, 'ASK', 'x'.repeat(3_000)));
    await peer.until(({ held }) => held.length === 4);
    using other = await RawClient.connect(server.address.port);
    expect(await other.ask('PING')).toBe('+PONG');
    expect(peer.held.length).toBe(4);
    peer.held[0]?.answer({ kind: 'null' });
    await peer.until(({ held }) => held.length === 5);
  });

  test('a transaction that is too large is refused, and another one is not', async () => {
    const peer = new KeyValuePeer();
    await open({ underWayBytes: 10_000 }, { peer });
    using client = await RawClient.connect(server.address.port);
    await client.write(
      Buffer.concat([requestBytes('MULTI'), many(4, 'SET', 'key', 'x'.repeat(3_000)), requestBytes('EXEC')]),
    );
    const answers = await client.until((text) => text.includes('EXECABORT'));
    expect(answers).toContain('-ERR the transaction holds more than a transaction may');
    expect(peer.begun).toEqual([]);
    await client.write(Buffer.concat([requestBytes('MULTI'), many(2, 'SET', 'key', 'x'), requestBytes('EXEC')]));
    expect(await client.until((text) => text.includes('*2'))).toContain('*2\r\n+OK\r\n+OK\r\n');
  });

  test('too many answers that it does not read cut it off, whatever it asked first', async () => {
    const peer = new HeldPeer();
    await open({ unreadBytes: 100_000 }, { peer });
    using client = await RawClient.connect(server.address.port);
    await client.write(many(3, 'ASK'));
    await peer.until(({ held }) => held.length === 3);
    // The first is not answered: nothing of these can be sent.
    for (const index of [1, 2]) peer.held[index]?.answer({ kind: 'bulk', bytes: Buffer.alloc(60_000) });
    expect(await client.closed()).toBe('');
    expect(reasons()).toEqual(['it reads too little of its answers']);
  });

  test('answers of any length reach a client that reads them, whatever may wait for one that does not', async () => {
    const peer = new HeldPeer();
    await open({ unreadBytes: 100_000, heldBytes: 500_000 }, { peer });
    const value = Buffer.alloc(60_000, 'x');
    async function* chunks(): AsyncGenerator<readonly Uint8Array[]> {
      for (let page = 0; page < 500; page += 1) yield [value];
    }
    using client = await RawClient.connect(server.address.port);
    for (const [index, of] of (['array', 'set'] as const).entries()) {
      await client.send('ASK');
      await peer.until(({ held }) => held.length > index);
      peer.held[index]?.answer({ kind: 'stream', of, count: 500, chunks: chunks() });
      expect((await client.until(({ length }) => length >= 6 + 500 * 60_010)).length).toBe(6 + 500 * 60_010);
    }
    expect(reasons()).toEqual([]);
  });

  test('a request of which the end does not come is given up', async () => {
    await open({ patience: { ...quick, request: 3 } });
    using quiet = await RawClient.connect(server.address.port);
    using client = await RawClient.connect(server.address.port);
    await client.write('*2\r\n$4\r\nECHO\r\n$5\r\nhal');
    expect(await client.closed()).toBe('');
    expect(reasons()).toEqual(['it did not send the rest of a request in time']);
    expect(await quiet.ask('PING')).toBe('+PONG');
  });

  test('a request that waits for those before it is not given up', async () => {
    const peer = new HeldPeer();
    await open({ underWay: 1, patience: { ...quick, request: 3 } }, { peer });
    using client = await RawClient.connect(server.address.port);
    await client.write(Buffer.concat([requestBytes('ASK'), requestBytes('ASK').subarray(0, 6)]));
    using other = await RawClient.connect(server.address.port);
    await other.write('*1\r\n');
    // The other one has run out of patience meanwhile.
    expect(await other.closed()).toBe('');
    peer.held[0]?.answer({ kind: 'null' });
    await client.write(requestBytes('ASK').subarray(6));
    await peer.until(({ held }) => held.length === 2);
  });

  test('answers that it does not take for long cut it off', async () => {
    const peer = new HeldPeer();
    await open({ patience: { ...quick, unread: 3 } }, { peer });
    using client = await RawClient.connect(server.address.port);
    client.socket.pause();
    await client.send('ASK');
    await peer.until(({ held }) => held.length === 1);
    peer.held[0]?.answer({ kind: 'bulk', bytes: Buffer.alloc(20_000_000) });
    await peer.until(({ gone }) => gone === 1);
    expect(reasons()).toEqual(['it did not read its answers in time']);
  });

  test('a password that is not shown for long cuts it off', async () => {
    await open({ patience: { ...quick, introduction: 3 } }, { password: 'secret' });
    using known = await RawClient.connect(server.address.port);
    expect(await known.ask('AUTH', 'secret')).toBe('+OK');
    using client = await RawClient.connect(server.address.port);
    expect(await client.closed()).toBe('');
    expect(reasons()).toEqual(['it did not make itself known in time']);
    expect(await known.ask('PING')).toBe('+PONG');
  });

  test('what it goes on to send after its last answer does not keep the connection open', async () => {
    await open({ patience: quick });
    using client = await RawClient.connect(server.address.port);
    await client.send('QUIT');
    client.socket.on('end', () => client.socket.write(requestBytes('PING')));
    expect(await client.until((text) => text !== '')).toBe('+OK\r\n');
    await client.closed();
  });
});

describe('of all clients together', () => {
  test('no more connect than may, and others do when those have gone', async () => {
    await open({ connections: 2 });
    using first = await RawClient.connect(server.address.port);
    const second = await RawClient.connect(server.address.port);
    expect(await second.ask('PING')).toBe('+PONG');
    using third = await RawClient.connect(server.address.port);
    expect(await third.closed()).toBe('');
    second[Symbol.dispose]();
    await second.closed();
    for (;;) {
      using fourth = await RawClient.connect(server.address.port);
      await fourth.send('PING');
      const answer = await Promise.race([fourth.until((text) => text !== '').catch(() => ''), fourth.closed()]);
      if (answer === '+PONG\r\n') break;
    }
    expect(await first.ask('PING')).toBe('+PONG');
  });

  test('strangers keep nobody out: who has waited longest without the password goes, and without a word', async () => {
    await open({ connections: 3 }, { password: 'secret' });
    using known = await RawClient.connect(server.address.port);
    expect(await known.ask('AUTH', 'secret')).toBe('+OK');
    using first = await RawClient.connect(server.address.port);
    using second = await RawClient.connect(server.address.port);
    expect(await second.ask('PING')).toMatch(/^-NOAUTH/);
    using runtime = await RawClient.connect(server.address.port);
    expect(await runtime.ask('AUTH', 'secret')).toBe('+OK');
    expect(await first.closed()).toBe('');
    expect(await second.ask('PING')).toMatch(/^-NOAUTH/);
    using another = await RawClient.connect(server.address.port);
    expect(await another.ask('AUTH', 'secret')).toBe('+OK');
    expect(await second.closed()).toBe('');
    // All have shown it: nobody goes any more.
    using late = await RawClient.connect(server.address.port);
    expect(await late.closed()).toBe('');
    for (const one of [known, runtime, another]) expect(await one.ask('PING')).toBe('+PONG');
    expect(lines).toEqual([]);
  });

  test('no more bytes are held than may be: whoever would hold more is cut off', async () => {
    const peer = new HeldPeer();
    await open({ heldBytes: 100_000 }, { peer });
    using first = await RawClient.connect(server.address.port);
    await first.send('ASK', 'x'.repeat(60_000));
    await peer.until(({ held }) => held.length === 1);
    using second = await RawClient.connect(server.address.port);
    await second.send('ASK', 'x'.repeat(60_000));
    expect(await second.closed()).toBe('');
    expect(reasons()).toEqual(['all clients together hold as much as they may']);
    peer.held[0]?.answer({ kind: 'null' });
    expect(await first.answer()).toBe('$-1');
    using third = await RawClient.connect(server.address.port);
    await third.send('ASK', 'x'.repeat(60_000));
    await peer.until(({ held }) => held.at(-1)?.requests[0]?.arguments[0]?.length === 60_000);
  });
});
