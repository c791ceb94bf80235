import { describe, expect, test } from 'vitest';
import type { PublishResult } from '../../../src/ports/service.ts';
import { openServer } from './open-server.ts';
import { rawConnection } from './raw.ts';
import { stubService } from './stub-service.ts';

const never = new AbortController().signal;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** A service of which each snapshot is awaited until it is told to answer. */
function waitingService() {
  const begun: { answer(): void; readonly signal: AbortSignal | undefined }[] = [];
  const snapshot = (_id: unknown, _waiting: unknown, signal?: AbortSignal): Promise<Uint8Array> =>
    new Promise((resolve) => begun.push({ signal, answer: () => resolve(Buffer.from('{}')) }));
  const untilBegun = async (): Promise<void> => {
    while (begun.length === 0) await new Promise(setImmediate);
  };
  return { service: stubService({ snapshot }), begun, untilBegun };
}

describe('a server that drains', () => {
  test('finishes what is under way and takes nothing more', async () => {
    const { service, begun, untilBegun } = waitingService();
    const server = await openServer({ service });
    const [waiting, idle, fresh] = [
      await rawConnection(server),
      await rawConnection(server),
      await rawConnection(server),
    ];
    idle.socket.write(get('/healthz'));
    await idle.until('{"live":true}');
    waiting.socket.write(get('/v1/sessions/a?min_sequence=1'));
    await untilBegun();
    const drained = server.drain(never);
    await idle.closed();
    expect(await fresh.closed()).toBe('');
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    expect(waiting.received()).toBe('');
    begun[0]?.answer();
    expect(await waiting.closed()).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n\{\}$/);
    await drained;
    await server.close();
  });

  test('refuses what comes behind a request that is under way', async () => {
    const { service, begun, untilBegun } = waitingService();
    const server = await openServer({ service });
    const connection = await rawConnection(server);
    connection.socket.write(get('/v1/sessions/a?min_sequence=1'));
    await untilBegun();
    const drained = server.drain(never);
    connection.socket.write(get('/healthz'));
    begun[0]?.answer();
    const answers = await connection.closed();
    expect(answers).toMatch(/^HTTP\/1\.1 200 /);
    expect(answers.split('\r\n\r\n{}')[1] ?? '').toMatch(/^$|^HTTP\/1\.1 503 [\s\S]*"code":"SERVICE_UNAVAILABLE"/);
    await drained;
  });

  test('cuts off what is not finished by its deadline', async () => {
    const { service, begun, untilBegun } = waitingService();
    const server = await openServer({ service });
    const connection = await rawConnection(server);
    connection.socket.write(get('/v1/sessions/a?min_sequence=1'));
    await untilBegun();
    const deadline = new AbortController();
    const drained = server.drain(deadline.signal);
    deadline.abort();
    await drained;
    expect(await connection.closed()).toBe('');
    expect(begun[0]?.signal?.aborted).toBe(true);
  });

  test('ends followed logs', async () => {
    async function* follow(_id: unknown, _from: unknown, signal: AbortSignal): AsyncGenerator<never> {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
    const server = await openServer({ service: stubService({ follow }) });
    const connection = await rawConnection(server);
    connection.socket.write(get('/v1/sessions/a/log?follow=true'));
    await connection.until(':\n\n');
    await server.drain(never);
    expect(await connection.closed()).toMatch(/\r\n0\r\n\r\n$/);
  });

  test('closes at once and as often as it is told to', async () => {
    const { service, untilBegun } = waitingService();
    const server = await openServer({ service });
    const connection = await rawConnection(server);
    connection.socket.write(get('/v1/sessions/a'));
    await untilBegun();
    await Promise.all([server.close(), server.close(), server.drain(never)]);
    await server.close();
    expect(await connection.closed()).toBe('');
  });

  test('tells why it cannot listen', async () => {
    await using server = await openServer();
    const { port } = server.address;
    await expect(openServer({ port })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: `cannot listen at 127.0.0.1:${port}: something else listens there; set another http.port`,
    });
    await expect(openServer({ host: 'no-such-host.invalid' })).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
  });
});

describe('a client that goes away', () => {
  test('ends the wait for its answer', async () => {
    const signals: AbortSignal[] = [];
    const publish = ({ signal }: { readonly signal?: AbortSignal | undefined }): Promise<readonly PublishResult[]> => {
      if (signal !== undefined) signals.push(signal);
      return new Promise(() => undefined);
    };
    await using server = await openServer({ service: stubService({ publish }) });
    const connection = await rawConnection(server);
    connection.socket.write(
      'POST /v1/commands?wait=applied HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n' +
        'Content-Type: application/cloudevents+json\r\n\r\n{}',
    );
    while (signals.length === 0) await new Promise(setImmediate);
    expect(signals[0]?.aborted).toBe(false);
    connection.socket.destroy();
    while (signals[0]?.aborted === false) await new Promise(setImmediate);
    expect(signals).toHaveLength(1);
  });
});
