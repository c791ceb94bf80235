import { describe, expect, test } from 'vitest';
import type { Service } from '../../../src/ports/service.ts';
import { openServer } from './open-server.ts';
import { rawConnection, sendRaw } from './raw.ts';
import { stubService } from './stub-service.ts';

const limits = { requestsPerSecond: 0, connections: 100, bodyBytes: 1_000, bufferedBytes: 2_000 };
const type = 'Content-Type: application/cloudevents+json\r\n';
const head = `POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${type}`;
const whole = (bytes: number): string => `${head}Content-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`;

describe('limits', () => {
  test('more requests than the rate allows are put off, whatever they ask for', async () => {
    await using server = await openServer({ limits: { ...limits, requestsPerSecond: 5 } });
    for (const path of ['/healthz', '/nowhere', '/v1/sessions/a/log']) {
      const responses = await Promise.all(Array.from({ length: 30 }, () => fetch(server.url + path)));
      const refused = responses.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThan(0);
      for (const response of refused) {
        expect(response.headers.get('retry-after')).toBe('1');
        expect(await response.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryable: true });
      }
    }
  });

  test('a body above the limit is refused, whether its length is told or not', async () => {
    await using server = await openServer({ limits, service: stubService({ publish: async () => [] }) });
    expect(await sendRaw(server, whole(1_000))).toMatch(/^HTTP\/1\.1 200 /);
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${(1_001).toString(16)}\r\n${'x'.repeat(1_001)}\r\n0\r\n\r\n`;
    for (const text of [whole(1_001), chunked, `${head}Content-Length: 99999999999\r\n\r\n`]) {
      expect(await sendRaw(server, text)).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"REQUEST_TOO_LARGE"/);
    }
  });

  test('bodies that are worked on at a time stay within their room, and leave it again', async () => {
    const waiting: (() => void)[] = [];
    const publish = () => new Promise<[]>((resolve) => waiting.push(() => resolve([])));
    await using server = await openServer({ limits, service: stubService({ publish }) });
    // One of known length, and one of unknown length, which counts as the longest.
    const known = await rawConnection(server);
    known.socket.write(`${head}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n`);
    await known.until('100 Continue');
    const chunked = await rawConnection(server);
    chunked.socket.write(`${head}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n`);
    await chunked.until('100 Continue');
    const refused = await sendRaw(server, whole(1));
    expect(refused).toMatch(/^HTTP\/1\.1 429 [\s\S]*retry-after: 1\r\n[\s\S]*"code":"TOO_MANY_REQUESTS"/);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    // One client gives up, the other is answered.
    known.socket.destroy();
    chunked.socket.write('1\r\nx\r\n0\r\n\r\n');
    while (waiting.length === 0) await new Promise(setImmediate);
    waiting.pop()?.();
    expect(await chunked.closed()).toContain('HTTP/1.1 200 ');
    const answers = Promise.all([sendRaw(server, whole(1_000)), sendRaw(server, whole(1_000))]);
    while (waiting.length < 2) await new Promise(setImmediate);
    for (const answer of waiting) answer();
    for (const answer of await answers) expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('no more connections are held than allowed, and closed ones make room', async () => {
    await using server = await openServer({ limits: { ...limits, connections: 2 } });
    const held = [await rawConnection(server), await rawConnection(server)];
    for (const connection of held) {
      connection.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await connection.until('{"live":true}');
    }
    expect(await sendRaw(server, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')).toBe('');
    for (const connection of held) {
      connection.socket.destroy();
      await connection.closed();
    }
    let answer = '';
    while (answer === '') answer = await sendRaw(server, 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n');
    expect(answer).toContain('{"live":true}');
  });

  test('a connection with too many requests under way is cut off, and nobody works for any of them', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const cursor: Service['cursor'] = (_session, _waiting, signal) => {
      signals.push(signal);
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('gone'))));
    };
    await using server = await openServer({ limits, service: stubService({ cursor }) });
    const request = 'GET /v1/sessions/a/cursor?min_sequence=1 HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const within = await rawConnection(server);
    within.socket.write(request.repeat(20));
    while (signals.length < 20) await new Promise(setImmediate);
    expect(signals.map((signal) => signal?.aborted)).toEqual(signals.map(() => false));
    within.socket.destroy();
    while (signals.some((signal) => signal?.aborted !== true)) await new Promise(setImmediate);
    const beyond = await sendRaw(server, request.repeat(500));
    expect(beyond).toBe('');
    expect(signals.length).toBeLessThanOrEqual(40);
    while (signals.some((signal) => signal?.aborted !== true)) await new Promise(setImmediate);
  });

  test('one body that is larger than all together is a mistake of the settings', async () => {
    await expect(openServer({ limits: { ...limits, bufferedBytes: 999 } })).rejects.toThrow(TypeError);
  });
});
