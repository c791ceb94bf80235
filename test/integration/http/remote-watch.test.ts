import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { initialCursor } from '../../../src/domain/cursor.ts';
import { cursorToJson } from '../../../src/domain/encoding/cursor-json.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { FiledId } from '../../../src/domain/plan.ts';
import { connectService } from '../../../src/http-client/remote-service.ts';
import { RemoteWatch } from '../../../src/http-client/remote-watch.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function watching(listener: RequestListener): Promise<RemoteWatch> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const service = connectService({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  closers.push(async () => {
    await service.close();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return new RemoteWatch(service);
}

const named = (count: number): readonly SessionId[] => Array.from({ length: count }, (_, n) => `s${n}` as SessionId);
const cursorOf = (version: number): string => JSON.stringify(cursorToJson({ ...initialCursor, version }));
const problem = (code: string): string => JSON.stringify({ code, detail: 'told' });

test('cursors come in the order of their sessions, and only so many are asked for at a time', async () => {
  let open = 0;
  let most = 0;
  const watch = await watching((request, response) => {
    open += 1;
    most = Math.max(most, open);
    // Later ones first, as far as that is possible.
    setImmediate(() => {
      open -= 1;
      response.end(cursorOf(Number(/s(\d+)/.exec(request.url ?? '')?.[1])));
    });
  });
  const cursors = await watch.cursors(named(100));
  expect(cursors.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(16);
  expect(await watch.cursors([])).toEqual([]);
});

test('a session that nobody has heard of has the initial cursor', async () => {
  const watch = await watching((_, response) => response.writeHead(404).end(problem('SESSION_NOT_FOUND')));
  expect(await watch.cursors(named(2))).toEqual([initialCursor, initialCursor]);
});

test('one cursor that cannot be had is an error for all', async () => {
  const watch = await watching((request, response) => {
    if (request.url?.includes('s7') === true) response.writeHead(503).end(problem('STORE_UNAVAILABLE'));
    else response.end(cursorOf(1));
  });
  await expect(watch.cursors(named(20))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
});

test('a change is waited for again and again, above the same version', async () => {
  const asked: string[] = [];
  const watch = await watching((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams.get('after_version') ?? 'none');
    if (asked.length < 4) response.writeHead(409).end(problem('NOT_YET_APPLIED'));
    else response.end(cursorOf(9));
  });
  expect(await watch.changed('s' as SessionId, 8)).toEqual({ ...initialCursor, version: 9 });
  expect(asked).toEqual(['8', '8', '8', '8']);
});

test('the wait for a change ends with its signal', async () => {
  const giving = new AbortController();
  const watch = await watching(() => giving.abort());
  await expect(watch.changed('s' as SessionId, 0, giving.signal)).rejects.toMatchObject({ code: 'ABORTED' });
});

test('what is filed is asked for in parts and comes back in order', async () => {
  const sizes: number[] = [];
  const watch = await watching(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk);
    const { keys } = JSON.parse(Buffer.concat(body).toString());
    sizes.push(keys.length);
    response.end(JSON.stringify({ filed: keys.map(({ id }: { id: string }) => Number(id) % 3 === 0) }));
  });
  const keys = Array.from({ length: 2_500 }, (_, n) => ({
    session: n % 2 ? ('s' as SessionId) : undefined,
    id: `${n}` as FiledId,
  }));
  expect(await watch.areFiled(keys)).toEqual(keys.map((_, n) => n % 3 === 0));
  expect(sizes).toEqual([1000, 1000, 500]);
});

test.each([
  ['a dead letter', true, 200, false],
  ['a decision that took effect', true, 404, true],
  ['nothing', false, 404, false],
] as const)('%s is told from a decision', async (_filed, isFiled, status, isDecision) => {
  const watch = await watching((request, response) => {
    if (request.method === 'POST') response.end(JSON.stringify({ filed: [isFiled] }));
    else response.writeHead(status).end(status === 200 ? '{}' : problem('NOT_STORED'));
  });
  expect(await watch.isDecision({ session: 's' as SessionId, id: 'a'.repeat(32) as FiledId })).toBe(isDecision);
});
