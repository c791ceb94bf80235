import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAuthority } from '../../scripts/services/certificates.mjs';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, entries } from '../../src/conformance/store-samples.ts';
import { freePort } from '../support/free-port.ts';
import { type OwnRedis, startRedis, uniquePrefix } from '../support/redis.ts';
import { openAt } from '../support/redis-harness.ts';

let directory: string;
let redis: OwnRedis;
let port: number;
let ca: string;
let own: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'redis-tls-'));
  const authority = await makeAuthority(join(directory, 'authority'));
  const [server, client] = [authority.issue('server'), authority.issue('client')];
  port = await freePort();
  redis = await startRedis({
    'tls-port': String(port),
    'tls-cert-file': server.certificate,
    'tls-key-file': server.key,
    'tls-ca-cert-file': authority.certificate,
  });
  ca = readFileSync(authority.certificate, 'utf8');
  own = { cert: readFileSync(client.certificate, 'utf8'), key: readFileSync(client.key, 'utf8') };
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

test('a store is kept over TLS, the server and this process proved to each other', async () => {
  const server = { host: '127.0.0.1', port, database: 0 };
  await using store = await openAt({ ...server, tls: { ca, ...own } }, uniquePrefix());
  await store.commit(new PlanBuilder().append(ada, ...entries(0, 3)).build());
  await assertLog(store, ada, entries(0, 3));
});

test.each([
  ['a server whose authority is not known', () => ({ host: '127.0.0.1', tls: { ...own } })],
  ['a server with another name', () => ({ host: '127.0.0.1', tls: { ca, ...own, serverName: 'elsewhere.test' } })],
])('%s is refused, and told as a matter of configuration', async (_, access) => {
  const failed = openAt({ port, database: 0, ...access() }, uniquePrefix());
  await expect(failed).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
});

test('a process that does not prove itself where it has to is refused', async () => {
  const failed = openAt({ host: '127.0.0.1', port, database: 0, tls: { ca } }, uniquePrefix());
  await expect(failed).rejects.toMatchObject({ name: 'PersistenceError' });
});
