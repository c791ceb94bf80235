import { describe, expect, test } from 'vitest';
import { openServer } from './open-server.ts';
import { ask, hostile, hostilePath, recording, result } from './recording.ts';

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
    const summary = { directory: '/b/one', store: { kind: 'level', id: 'i', layout_version: 2 }, records: 1, bytes: 2 };
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
    expect(await (await ask(server, '/v1/filed', json({ keys }))).json()).toEqual({ filed: [true, false] });
    expect(asked).toEqual([
      { session: 'a', id: 'x' },
      { session: undefined, id: 'y' },
    ]);
    for (const wrong of [
      { keys: [{ id: 'x' }] },
      { keys: [{ session: 'a/b', id: 'x' }] },
      { keys: Array(1_001).fill(keys[0]) },
    ]) {
      expect((await ask(server, '/v1/filed', json(wrong))).status).toBe(400);
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
