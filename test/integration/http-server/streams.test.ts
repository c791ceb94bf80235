import { describe, expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { FollowedEvent } from '../../../src/ports/service.ts';
import { keptLog } from './log-lines.ts';
import { openServer } from './open-server.ts';
import { rawConnection, sendRaw } from './raw.ts';
import { stubService } from './stub-service.ts';

const get = (path: string, ...headers: string[]): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;

const entry = Buffer.from(JSON.stringify({ pad: 'x'.repeat(990) }));
const page = Array.from({ length: 64 }, () => entry);
const turn = (): Promise<void> => new Promise(setImmediate);

/** A log of so many pages that counts what is read and whether it was closed. */
function longLog(pages: number) {
  const state = { read: 0, closed: 0 };
  async function* log(): AsyncGenerator<readonly Uint8Array[]> {
    try {
      for (; state.read < pages; state.read += 1) yield page;
    } finally {
      state.closed += 1;
    }
  }
  return { state, service: stubService({ log }) };
}

describe('a long log', () => {
  test('arrives whole', async () => {
    const { service, state } = longLog(100);
    await using server = await openServer({ service });
    const response = await fetch(`${server.url}/v1/sessions/a/log`);
    expect(response.headers.get('content-length')).toBeNull();
    const text = await response.text();
    expect(text).toBe(`${entry}\n`.repeat(6_400));
    expect(state).toEqual({ read: 100, closed: 1 });
  });

  test('is read no further than its reader reads, while others are answered', async () => {
    const { service, state } = longLog(100_000);
    await using server = await openServer({ service });
    const slow = await rawConnection(server);
    slow.socket.pause();
    slow.socket.write(get('/v1/sessions/a/log'));
    // Until the buffers between both are full.
    for (let seen = -1; seen !== state.read || seen === 0; ) {
      seen = state.read;
      for (let request = 0; request < 10; request += 1) {
        expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      }
    }
    expect(state.closed).toBe(0);
    slow.socket.destroy();
    while (state.closed === 0) await turn();
    expect(state.read).toBeLessThan(1_000);
  });

  test('is closed when only its headers are asked for', async () => {
    const { service, state } = longLog(100);
    await using server = await openServer({ service });
    const response = await fetch(`${server.url}/v1/sessions/a/log`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    expect(state).toMatchObject({ read: 1, closed: 1 });
  });

  test.each([0, 1, 2, 50])('that fails after %i pages is never taken for a shorter one', async (pages) => {
    const log = keptLog('error');
    async function* failing(): AsyncGenerator<readonly Uint8Array[]> {
      for (let read = 0; read < pages; read += 1) yield page;
      throw new PersistenceError('STORE_CORRUPT', 'canary');
    }
    await using server = await openServer({ service: stubService({ log: failing }), logger: log.logger });
    const answer = await sendRaw(server, get('/v1/sessions/a/log'));
    if (pages < 2) expect(answer).toMatch(/^HTTP\/1\.1 500 [\s\S]*"code":"STORE_CORRUPT"/);
    else {
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
      await expect(fetch(`${server.url}/v1/sessions/a/log`).then((response) => response.text())).rejects.toThrow();
    }
    expect(log.lines[0]).toMatchObject({
      code: 'STORE_CORRUPT',
      route: '/v1/sessions/:id/log',
      msg: 'a request failed',
    });
    expect(JSON.stringify(log.lines)).not.toContain('canary');
  });
});

/** A service whose log is followed as `events` say, which keeps where from. */
function followed(events: () => AsyncIterable<FollowedEvent>) {
  const points: unknown[] = [];
  const follow = (_session: unknown, from: unknown): AsyncIterable<FollowedEvent> => {
    points.push(from);
    return events();
  };
  return { points, service: stubService({ follow }) };
}

describe('a followed log', () => {
  const events: readonly FollowedEvent[] = [
    { kind: 'entry', generation: 0, ordinal: 7, entry: Buffer.from('{"é":0.0}') },
    { kind: 'reset', generation: 1 },
    { kind: 'entry', generation: 1, ordinal: 0, entry: Buffer.from('{}') },
  ];
  async function* few(): AsyncGenerator<FollowedEvent> {
    yield* events;
  }

  test('comes as server-sent events that say where they are', async () => {
    const { service } = followed(few);
    await using server = await openServer({ service });
    const response = await fetch(`${server.url}/v1/sessions/a/log?follow=true`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await response.text()).toBe(
      ':\n\n' +
        'id: 0.7\nevent: entry\ndata: {"é":0.0}\n\n' +
        'event: reset\ndata: {"generation":1}\n\n' +
        'id: 1.0\nevent: entry\ndata: {}\n\n',
    );
  });

  test.each([
    ['?follow=true', [], { ordinal: 0, generation: undefined }],
    ['?follow=true&from=4&generation=2', [], { ordinal: 4, generation: 2 }],
    ['?from=4', ['Accept: text/event-stream'], { ordinal: 4, generation: undefined }],
    ['?follow=true&from=4', ['Last-Event-ID: 3.9'], { ordinal: 10, generation: 3 }],
  ])('%s %j begins where it was asked for', async (query, headers, point) => {
    const { service, points } = followed(few);
    await using server = await openServer({ service });
    await sendRaw(server, get(`/v1/sessions/a/log${query}`, ...headers));
    expect(points).toEqual([point]);
  });

  test.each([
    ['?follow=true&to=3', []],
    ['?follow=true&limit=3', []],
    ['?generation=3', []],
    ['?follow=yes', []],
    ['?follow=true', ['Last-Event-ID: 3']],
    ['?follow=true', ['Last-Event-ID: 3.-1']],
    ['?follow=true', ['Last-Event-ID: 03.1']],
  ])('%s %j is refused', async (query, headers) => {
    const { service, points } = followed(few);
    await using server = await openServer({ service });
    const answer = await sendRaw(server, get(`/v1/sessions/a/log${query}`, ...headers));
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INVALID_REQUEST"/);
    expect(points).toEqual([]);
  });

  test('shows in silence that the connection is alive', async () => {
    const wakings: (() => void)[] = [];
    const sleep = (_milliseconds: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        wakings.push(resolve);
        signal?.addEventListener('abort', () => resolve());
      });
    async function* silent(): AsyncGenerator<FollowedEvent> {
      await new Promise(() => undefined);
    }
    await using server = await openServer({ service: followed(silent).service, clock: { ...systemClock, sleep } });
    const connection = await rawConnection(server);
    connection.socket.write(get('/v1/sessions/a/log?follow=true'));
    for (let beats = 1; beats <= 3; beats += 1) {
      await connection.until(':\n\n\r\n3\r\n'.repeat(beats - 1));
      while (wakings.length < beats) await turn();
      wakings.at(-1)?.();
    }
    connection.socket.destroy();
    wakings.at(-1)?.();
  });

  test('is closed when its reader goes away, and read no further than its reader reads', async () => {
    const state = { read: 0, closed: false };
    async function* endless(): AsyncGenerator<FollowedEvent> {
      try {
        for (;;) {
          state.read += 1;
          yield { kind: 'entry', generation: 0, ordinal: state.read, entry };
        }
      } finally {
        state.closed = true;
      }
    }
    await using server = await openServer({ service: followed(endless).service });
    const slow = await rawConnection(server);
    slow.socket.pause();
    slow.socket.write(get('/v1/sessions/a/log?follow=true'));
    for (let seen = -1; seen !== state.read || seen === 0; ) {
      seen = state.read;
      for (let request = 0; request < 10; request += 1) await (await fetch(`${server.url}/healthz`)).text();
    }
    expect(state.read).toBeLessThan(50_000);
    slow.socket.destroy();
    while (!state.closed) await turn();
  });

  test('that fails breaks off', async () => {
    async function* failing(): AsyncGenerator<FollowedEvent> {
      yield* events;
      throw new PersistenceError('STORE_UNAVAILABLE', 'gone');
    }
    await using server = await openServer({ service: followed(failing).service });
    const answer = await sendRaw(server, get('/v1/sessions/a/log?follow=true'));
    expect(answer).toContain('id: 1.0');
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});
