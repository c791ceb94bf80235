import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { entryText } from '../../support/commands.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { GatewaySystem, type Told } from '../../support/gateway-system.ts';

const integer = (value: number): string => `(integer) ${value}`;

describe('what waits until a queue or a store is there again takes so much memory and no more', () => {
  const log = 'macp:log:one';
  const entry = entryText('m').replace('"m"', `"${'m'.repeat(1024 * 1024)}"`);
  const tooMuch = /^ERR too much is on its way/;

  test('also after it was told that it is late, and after its client has gone', async () => {
    const clock = new FakeClock();
    // As while it waits for the store: it is not open yet.
    await using system = new GatewaySystem({ clock });
    const late: Told[] = [];
    for (let round = 0; round < 4; round += 1) {
      const client = system.client();
      const told = Promise.all(Array.from({ length: 30 }, () => client.send('RPUSH', log, entry)));
      await clock.advance(400);
      late.push(...(await told));
      client.close();
    }
    expect(late.filter((told) => /^ERR there was no answer in time/.test(String(told)))).toHaveLength(63);
    expect(late.filter((told) => tooMuch.test(String(told)))).toHaveLength(120 - 63);
  });

  test('and a deletion whose SREM finds no room is not done', async () => {
    await using system = new GatewaySystem({ clock: new FakeClock() }).work();
    const client = system.client();
    expect(await client.send('RPUSH', log, entryText('m1'))).toBe(integer(1));
    const others = Array.from({ length: 8_190 }, () => client.send('SADD', 'macp:sessions', 'one'));
    const parts = [
      ['DEL', 'macp:session:one'],
      ['DEL', log],
      ['SREM', 'macp:sessions', 'one'],
    ];
    const [session, entries, member] = await Promise.all(parts.map((part) => client.send(...part)));
    expect([session, entries]).toEqual([expect.stringMatching(/^ERR a DEL/), expect.stringMatching(/^ERR a DEL/)]);
    expect(member).toMatch(tooMuch);
    expect(new Set(await Promise.all(others))).toEqual(new Set([integer(0)]));
    await system.system.caughtUp();
    expect(await system.system.marks('one')).toEqual(['m1']);
  });
});

test('a log that waits to be sent keeps no document of its session in memory', async () => {
  await using system = new GatewaySystem().work();
  const opened = vi.spyOn(system.system.store, 'openSession');
  const client = system.client();
  await client.send('RPUSH', 'macp:log:one', entryText('m1'));
  expect(await client.send('LRANGE', 'macp:log:one', '0', '-1')).toEqual([entryText('m1')]);
  expect(opened.mock.calls).toEqual([['one', 'log']]);
});

test('a transaction is answered, however many small requests it is made of', async () => {
  await using system = new GatewaySystem().work();
  const conversation = system.gateway.converse({ address: 'test', cut: () => undefined });
  // The server takes 32 MiB of them, and counts 100 bytes for each part beside its own.
  const request = { command: 'GET', arguments: [Buffer.alloc(0)], arrived: systemClock.elapsed() };
  const told = await conversation.transaction(Array.from({ length: 165_000 }, () => request));
  expect(told).toMatchObject({ kind: 'error' });
  conversation.closed();
});

test('a gateway keeps nothing of the connections that wrote before', async () => {
  await using system = new GatewaySystem();
  const stopping = new AbortController();
  const run = system.gateway.run(stopping.signal);
  const listeners: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    const client = system.client();
    expect(await client.send('SMEMBERS', 'macp:sessions')).toEqual([]);
    client.close();
    listeners.push(getEventListeners(stopping.signal, 'abort').length);
  }
  expect(new Set(listeners).size).toBe(1);
  stopping.abort();
  await run;
});

test('a read that was told that it is late waits for nothing any more', async () => {
  const clock = new FakeClock();
  // No worker: what is written is durable, and cannot be read.
  await using system = new GatewaySystem({ clock }).run();
  const changed = vi.spyOn(system.system.watch, 'changed');
  const client = system.client();
  expect(await client.send('RPUSH', 'macp:log:one', entryText('m1'))).toBe(integer(1));
  const read = client.send('LRANGE', 'macp:log:one', '0', '-1');
  await clock.advance(100);
  const waits = changed.mock.calls.map(([, , signal]) => signal);
  expect(waits.map((signal) => signal?.aborted)).toEqual([false]);
  await clock.advance(300);
  expect(await read).toMatch(/^ERR there was no answer in time/);
  expect(waits.map((signal) => signal?.aborted)).toEqual([true]);
  expect(await client.send('RPUSH', 'macp:log:one', entryText('m2'))).toBe(integer(2));
});
