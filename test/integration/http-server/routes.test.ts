import { describe, expect, test } from 'vitest';
import { initialCursor } from '../../../src/domain/cursor.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { HttpServer } from '../../../src/http-server/server.ts';
import type { PublishResult, Service } from '../../../src/ports/service.ts';
import { openServer } from './open-server.ts';
import { stubService } from './stub-service.ts';

type Asked = readonly unknown[];

/** A service that keeps what it is asked, and answers `answer` to everything. */
function recording(
  method: Exclude<keyof Service, symbol>,
  answer: unknown,
): { readonly service: Service; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const record = async (...all: Asked) => {
    asked.push(all);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  async function* pages(...all: Asked): AsyncGenerator<unknown> {
    asked.push(all);
    yield* answer as unknown[];
  }
  const streams = ['log', 'incoming', 'follow', 'dump'].includes(method);
  return { asked, service: stubService({ [method]: streams ? pages : record }) };
}

async function ask(server: HttpServer, path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(server.url + path, init);
}

const aSignal = expect.any(AbortSignal);
const hostile = 'a%b c?d#é"<日';
const hostilePath = encodeURIComponent(hostile);
const result: PublishResult = {
  session_id: 'a',
  id: 'a/1/1',
  writer: '//w',
  epoch: 1,
  sequence: 1,
  position: { partition: 0, offset: 0 },
  outcome: 'applied',
  dead_letter: null,
};

describe('reads of sessions', () => {
  const page = { sessions: [], next: 'b' };
  test.each([
    ['', { limit: 100 }],
    [
      '?limit=1000&after=a%25&state=Open&mode=m&blocked=true',
      { limit: 1000, after: 'a%', state: 'Open', mode: 'm', blocked: true },
    ],
    ['?blocked=false&limit=1', { limit: 1, blocked: false }],
  ])('GET /v1/sessions%s lists what is asked for', async (query, expected) => {
    const { service, asked } = recording('listSessions', page);
    await using server = await openServer({ service });
    const response = await ask(server, `/v1/sessions${query}`);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual(page);
    expect(asked).toEqual([[expect.objectContaining(expected)]]);
  });

  test('any session id that the rule allows can be asked for, percent-encoded', async () => {
    const longest = '日'.repeat(85);
    const { service, asked } = recording('showSession', {});
    await using server = await openServer({ service });
    for (const id of [hostile, longest, '...', '%2F', 'log', ' ', '\u0001', ';,:@&=+$']) {
      expect((await ask(server, `/v1/sessions/${encodeURIComponent(id)}/summary`)).status, id).toBe(200);
      expect(asked.at(-1)).toEqual([id]);
    }
  });

  test('what is no session id is told apart from a session that does not exist', async () => {
    await using server = await openServer();
    for (const path of ['a%2Fb', 'a%5Cb', 'a%00', 'x'.repeat(256), '%F0%9F%98%80'.repeat(64), '']) {
      const response = await ask(server, `/v1/sessions/${path}/summary`);
      expect(await response.json(), path).toMatchObject({ code: 'INVALID_SESSION_ID', status: 400 });
    }
  });

  test.each([
    ['snapshot', '', 'application/json'],
    ['receipt', '/receipt', 'application/octet-stream'],
    ['anchor', '/anchor', 'application/octet-stream'],
  ] as const)('the %s is answered with its very bytes', async (method, path, type) => {
    const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
    const { service, asked } = recording(method, bytes);
    await using server = await openServer({ service });
    const response = await ask(server, `/v1/sessions/${hostilePath}${path}`);
    expect(response.headers.get('content-type')).toBe(type);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(asked).toEqual([[hostile, undefined, undefined]]);
    const head = await ask(server, `/v1/sessions/${hostilePath}${path}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', '']);
  });

  test('a cursor is answered in snake case', async () => {
    const { service } = recording('cursor', { ...initialCursor, last: 3, recent: 'abcdefgh', version: 7 });
    await using server = await openServer({ service });
    const cursor = await (await ask(server, '/v1/sessions/a/cursor')).json();
    expect(cursor).toMatchObject({ last_sequence: 3, recent: '6162636465666768', writer: null, version: 7 });
  });

  const waits: readonly (readonly [string, object])[] = [
    ['min_sequence=7', { sequence: 7, timeout: 10_000 }],
    ['after_version=0&timeout_ms=60000', { version: 0, timeout: 60_000 }],
    ['claim_epoch=2&claim_writer=%2F%2Fw&timeout_ms=0', { claim: { epoch: 2, writer: '//w' }, timeout: 0 }],
  ];
  const waitable = ['snapshot', 'receipt', 'anchor', 'cursor', 'log', 'incoming'] as const;
  test.each(waitable)('%s waits, and no longer than its client', async (method) => {
    const { service, asked } = recording(method, method === 'cursor' ? initialCursor : Buffer.alloc(0));
    await using server = await openServer({ service });
    const path = method === 'snapshot' ? '' : `/${method}`;
    for (const [query, waiting] of waits) {
      expect((await ask(server, `/v1/sessions/a${path}?${query}`)).status).toBe(200);
      expect(asked.at(-1)?.slice(-2)).toEqual([expect.objectContaining(waiting), aSignal]);
    }
  });

  const refused = [
    'claim_epoch=1',
    'claim_writer=w',
    'claim_epoch=0&claim_writer=w',
    'claim_epoch=1&claim_writer=a%20b',
    'claim_epoch=1&claim_writer=',
    'timeout_ms=60001',
    'min_sequence=-1',
    'min_sequence=1.0',
    'min_sequence=1e3',
    'min_sequence=0x1',
    'min_sequence=01',
    'min_sequence=%201',
    'min_sequence=',
    'min_sequence=9007199254740992',
    'min_sequence=1&min_sequence=1',
    'minSequence=1',
    '__proto__=1',
    'constructor=1',
  ];
  test('parameters that are not known, or no strict decimals within their bounds, are refused', async () => {
    await using server = await openServer();
    for (const path of ['', '/cursor', '/receipt', '/anchor', '/log', '/incoming']) {
      for (const query of refused) {
        const response = await ask(server, `/v1/sessions/a${path}?${query}`);
        expect(response.status, `${path}?${query}`).toBe(400);
        expect(await response.json()).toMatchObject({ code: expect.stringMatching(/^INVALID_(?:REQUEST|WRITER)$/) });
      }
    }
  });

  test('a log is answered whole with its length where it is short', async () => {
    const entries = [Buffer.from('{"a":1}'), Buffer.from('{"é":2}')];
    const { service, asked } = recording('log', [entries]);
    await using server = await openServer({ service });
    const response = await ask(server, '/v1/sessions/a/log?from=1&to=5&limit=2');
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('content-length')).toBe('17');
    expect(await response.text()).toBe('{"a":1}\n{"é":2}\n');
    expect(asked).toEqual([['a', { from: 1, to: 5, limit: 2 }, undefined, undefined]]);
    const head = await ask(server, '/v1/sessions/a/log', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '17', '']);
  });

  test('an empty log is answered with nothing', async () => {
    const { service } = recording('log', []);
    await using server = await openServer({ service });
    const response = await ask(server, '/v1/sessions/a/log');
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '0', '']);
  });

  test('accepted messages come with their ordinals', async () => {
    const entry = Buffer.from('{"a":0.0}');
    const { service, asked } = recording('incoming', [[{ ordinal: 8, entry }], [{ ordinal: 9, entry }]]);
    await using server = await openServer({ service });
    const response = await ask(server, '/v1/sessions/a/incoming?after_sequence=7');
    expect(await response.text()).toBe('{"ordinal":8,"entry":{"a":0.0}}\n{"ordinal":9,"entry":{"a":0.0}}\n');
    expect(asked).toEqual([['a', 7, undefined, undefined]]);
  });

  test.each([
    ['SESSION_NOT_FOUND', 404],
    ['NOT_STORED', 404],
    ['NOT_YET_APPLIED', 409],
    ['WRITER_FENCED', 409],
    ['BELOW_COMPACTION_BASE', 410],
    ['STORE_UNAVAILABLE', 503],
    ['STORE_CORRUPT', 500],
  ] as const)('%s is answered with %i', async (code, status) => {
    const fail = async (): Promise<never> => {
      throw new PersistenceError(code, 'this time');
    };
    // biome-ignore lint/correctness/useYield: it fails before it yields
    async function* failing(): AsyncGenerator<never> {
      await fail();
    }
    const service = stubService({ snapshot: fail, cursor: fail, showSession: fail, log: failing, incoming: failing });
    await using server = await openServer({ service });
    for (const path of ['', '/cursor', '/summary', '/log', '/incoming', '/log?follow=true']) {
      const response = await ask(server, `/v1/sessions/a${path}`);
      expect(response.status, path).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
      expect(await response.json()).toMatchObject({ code, status, detail: 'this time' });
    }
  });
});

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

describe('administration', () => {
  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

  test('dead letters are listed and shown', async () => {
    const list = recording('listDeadLetters', { dead_letters: [], next: null });
    await using server = await openServer({ service: list.service });
    await ask(server, '/v1/admin/dead-letters?session=a%25&reason=stale%20decision&state=open&after=x&limit=3');
    await ask(server, '/v1/admin/dead-letters');
    const asked = { session: 'a%', reason: 'stale decision', state: 'open', after: 'x', limit: 3 };
    expect(list.asked).toEqual([[asked], [expect.objectContaining({ limit: 100 })]]);
    for (const query of ['reason=none', 'state=none', 'limit=0', 'session=a%2Fb', 'limit=1001']) {
      expect((await ask(server, `/v1/admin/dead-letters?${query}`)).status, query).toBe(400);
    }
    const show = recording('showDeadLetter', {});
    await using other = await openServer({ service: show.service });
    await ask(other, '/v1/admin/dead-letters/abc?session=s');
    await ask(other, '/v1/admin/dead-letters/abc');
    expect(show.asked).toEqual([
      ['abc', 's'],
      ['abc', undefined],
    ]);
  });

  test('an open number is skipped', async () => {
    const { service, asked } = recording('skip', result);
    await using server = await openServer({ service });
    const path = `/v1/admin/sessions/${hostilePath}/skip`;
    const response = await ask(server, path, json({ sequence: 3, by: 'ann', reason: 'lost' }));
    expect([response.status, await response.json()]).toEqual([200, result]);
    expect(asked).toEqual([[{ session: hostile, sequence: 3, by: 'ann', reason: 'lost' }]]);
    for (const body of [
      {},
      { sequence: '3', by: 'ann', reason: 'lost' },
      { sequence: 0, by: 'ann', reason: 'lost' },
      { sequence: 1.5, by: 'ann', reason: 'lost' },
      { sequence: 3, by: '', reason: 'lost' },
      { sequence: 3, by: 'ann', reason: 'lost', canary: 1 },
      '{"sequence":3,"by":"canary',
      '{"__proto__":{},"sequence":3,"by":"a","reason":"b"}',
      '',
      'null',
      '[]',
    ]) {
      const refused = await ask(server, path, json(body));
      expect(refused.status, JSON.stringify(body)).toBe(400);
      expect(await refused.json()).toMatchObject({ code: 'INVALID_REQUEST' });
    }
    expect((await ask(server, path, { method: 'POST', body: 'text' })).status).toBe(415);
  });

  test('an open number is repaired with the very bytes that were sent', async () => {
    const { service, asked } = recording('repair', { ...result, outcome: 'durable' });
    await using server = await openServer({ service });
    const path = '/v1/admin/sessions/a/repair?sequence=3&type=macp.log.append.v1';
    for (const type of ['application/json', 'application/octet-stream']) {
      const init = { method: 'POST', headers: { 'content-type': type }, body: '{"a": 0.0}\n' };
      expect((await ask(server, path, init)).status).toBe(202);
    }
    await ask(server, path, { method: 'POST' });
    expect(asked.map(([request]) => String((request as { data: Buffer }).data))).toEqual([
      '{"a": 0.0}\n',
      '{"a": 0.0}\n',
      '',
    ]);
    expect(asked[0]).toEqual([expect.objectContaining({ session: 'a', sequence: 3, type: 'macp.log.append.v1' })]);
    for (const query of ['', '?sequence=3', '?type=macp.log.append.v1', '?sequence=3&type=macp.session.claim.v1']) {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
      expect((await ask(server, `/v1/admin/sessions/a/repair${query}`, init)).status, query).toBe(400);
    }
    expect((await ask(server, path, { method: 'POST', body: 'text' })).status).toBe(415);
  });

  test('a backup is made', async () => {
    const summary = { directory: '/b/one', store: { kind: 'level', id: 'i', layoutVersion: 2 }, records: 1, bytes: 2 };
    const { service, asked } = recording('backup', summary);
    await using server = await openServer({ service });
    expect(await (await ask(server, '/v1/admin/backups', json({ name: 'one' }))).json()).toEqual(summary);
    expect(asked).toEqual([['one']]);
    expect((await ask(server, '/v1/admin/backups', json({ name: '' }))).status).toBe(400);
  });

  test('it is told what is filed', async () => {
    const asked: unknown[] = [];
    await using server = await openServer({
      areFiled: async (keys) => {
        asked.push(...keys);
        return keys.map(({ id }) => id === 'x');
      },
    });
    const keys = [
      { session: 'a', id: 'x' },
      { session: null, id: 'y' },
    ];
    expect(await (await ask(server, '/v1/admin/filed', json({ keys }))).json()).toEqual({ filed: [true, false] });
    expect(asked).toEqual([
      { session: 'a', id: 'x' },
      { session: undefined, id: 'y' },
    ]);
    for (const wrong of [
      { keys: [{ id: 'x' }] },
      { keys: [{ session: 'a/b', id: 'x' }] },
      { keys: Array(1_001).fill(keys[0]) },
    ]) {
      expect((await ask(server, '/v1/admin/filed', json(wrong))).status).toBe(400);
    }
  });

  test('the dump comes as lines', async () => {
    const { service } = recording('dump', ['{"a":', '1}\n', '{"é":2}\n']);
    await using server = await openServer({ service });
    const response = await ask(server, '/v1/admin/dump');
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await response.text()).toBe('{"a":1}\n{"é":2}\n');
  });
});

describe('what the process tells of itself', () => {
  test('healthy and ready, or why not', async () => {
    let [live, because] = [true, undefined as string | undefined];
    await using server = await openServer({
      isLive: () => live,
      isReady: () => ({ ready: because === undefined, because }),
    });
    expect(await (await ask(server, '/healthz')).json()).toEqual({ live: true });
    expect(await (await ask(server, '/readyz')).json()).toEqual({ ready: true });
    [live, because] = [false, 'nothing is persisted'];
    const [health, readiness] = [await ask(server, '/healthz'), await ask(server, '/readyz')];
    expect([health.status, readiness.status]).toEqual([503, 503]);
    expect(await readiness.json()).toMatchObject({ code: 'SERVICE_UNAVAILABLE', detail: because });
  });

  test('metrics as they are', async () => {
    await using server = await openServer();
    const response = await ask(server, '/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('a 1\n');
  });
});
