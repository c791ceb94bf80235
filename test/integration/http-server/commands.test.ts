import { describe, expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { HttpServer } from '../../../src/http-server/server.ts';
import { openServer } from './open-server.ts';
import { ask, recording, result } from './recording.ts';

const aSignal = expect.any(AbortSignal);

describe('commands', () => {
  const one = 'application/cloudevents+json';
  const batch = 'application/cloudevents-batch+json';
  const post = (server: HttpServer, type: string, body: string, query = ''): Promise<Response> =>
    ask(server, `/v1/commands${query}`, { method: 'POST', headers: { 'content-type': type }, body });

  test.each([
    ['one event', one, ' {"data": 0.0}', [' {"data": 0.0}']],
    ['a batch', batch, '[ {"data": 0.0} ,{"b":1}]', ['{"data": 0.0}', '{"b":1}']],
    ['a batch, with its charset', `${batch}; charset=UTF-8`, '[{}]', ['{}']],
    ['an empty batch', batch, '[]', []],
  ])('%s is published with the bytes that were sent', async (_, type, body, events) => {
    const { service, asked } = recording('publish', []);
    await using server = await openServer({ service });
    expect((await post(server, type, body)).status).toBe(200);
    const [[request]] = asked as [[{ events: Buffer[]; until: string; timeout: number; signal: AbortSignal }]];
    expect(request.events.map((event) => Buffer.from(event).toString())).toEqual(events);
    expect(request).toMatchObject({ until: 'durable', timeout: 10_000, signal: aSignal });
  });

  test('the outcome is waited for where it is asked for', async () => {
    const { service, asked } = recording('publish', []);
    await using server = await openServer({ service });
    await post(server, one, '{}', '?wait=applied&timeout_ms=5');
    expect(asked).toEqual([[expect.objectContaining({ until: 'applied', timeout: 5 })]]);
  });

  const durable = { ...result, outcome: 'durable' } as const;
  const dead = { ...result, outcome: 'dead letter', dead_letter: 'f' } as const;
  test.each([
    [200, [result, result]],
    [202, [result, durable]],
    [409, [result, durable, dead]],
  ])('%i tells what became of them', async (status, results) => {
    const { service } = recording('publish', results);
    await using server = await openServer({ service });
    const response = await post(server, one, '{}');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ results, ...(status === 409 ? { code: 'DEAD_LETTERED' } : {}) });
  });

  test('what cannot be sent is told of each event', async () => {
    const errors = [{ index: 0, code: 'INVALID_DATA', detail: 'no' }];
    const refused = Object.assign(new PersistenceError('INVALID_INPUT', 'one event cannot be sent'), { errors });
    await using server = await openServer({ service: recording('publish', refused).service });
    const response = await post(server, one, '{}');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'INVALID_INPUT', errors });
  });

  test.each([
    [one, 'QUEUE_FULL', 503],
    [one, 'DISK_FULL', 507],
    [one, 'NOT_SUPPORTED', 422],
    [one, 'MIXED_EVENTS', 400],
  ] as const)('%s: %s is answered with %i', async (type, code, status) => {
    const { service } = recording('publish', new PersistenceError(code, 'this time'));
    await using server = await openServer({ service });
    expect((await post(server, type, '{}')).status).toBe(status);
  });

  test.each([
    ['application/json', '{}', 415],
    ['text/plain', '{}', 415],
    [`${one}; charset=latin1`, '{}', 415],
    ['', '{}', 415],
    ['nonsense', '{}', 415],
    [batch, '{}', 400],
    [batch, '[1,]', 400],
    [batch, '', 400],
  ])('%j with the body %j is refused, and nothing of it repeated', async (type, body, status) => {
    await using server = await openServer();
    const response = await post(server, type, body.replace('{}', '{"a":"canary"}'));
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.text()).not.toContain('canary');
  });

  test('a compressed body, and no body at all, are refused', async () => {
    await using server = await openServer();
    const headers = { 'content-type': one, 'content-encoding': 'gzip' };
    expect((await ask(server, '/v1/commands', { method: 'POST', headers, body: '{}' })).status).toBe(415);
    expect((await ask(server, '/v1/commands', { method: 'POST' })).status).toBe(400);
  });
});
