import { describe, expect, test } from 'vitest';
import { initialCursor } from '../../../src/domain/cursor.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { openServer } from './open-server.ts';
import { ask, hostile, hostilePath, recording } from './recording.ts';
import { stubService } from './stub-service.ts';

const aSignal = expect.any(AbortSignal);

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
