import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeAuthority } from '../../../scripts/services/certificates.mjs';
import { redisServerLimits } from '../../../src/redis-server/limits.ts';
import type { RedisServer, RedisServerOptions } from '../../../src/redis-server/server.ts';
import { KeyValuePeer } from './key-value-peer.ts';
import { openServer } from './open-server.ts';

let directory: string;
let ca: string;
let identity: NonNullable<RedisServerOptions['identity']>;
let server: RedisServer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'redis-server-tls-'));
  const authority = await makeAuthority(directory);
  const issued = authority.issue('gateway');
  ca = readFileSync(authority.certificate, 'utf8');
  identity = { certificate: readFileSync(issued.certificate), key: readFileSync(issued.key) };
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => server.close());

test('with a certificate, clients that know its authority are served, large values and all', async () => {
  server = await openServer({ identity, password: 'secret' });
  const client = new Redis({ port: server.address.port, tls: { ca }, password: 'secret', lazyConnect: true });
  await client.connect();
  const value = 'x'.repeat(5_000_000);
  await client.set('key', value);
  expect((await client.get('key')) === value).toBe(true);
  await client.quit();
});

test('a client that does not encrypt, breaks off, or says nothing is closed, and others go on', async () => {
  const patience = { ...redisServerLimits.patience, roundMs: 5, introduction: 20 };
  server = await openServer({ identity, limits: { ...redisServerLimits, patience } });
  const { port } = server.address;
  const plain = connectPlain(port);
  plain.on('error', () => undefined);
  plain.resume();
  plain.write('*1\r\n$4\r\nPING\r\n');
  const silent = connectPlain(port);
  silent.on('error', () => undefined);
  silent.resume();
  const closed = Promise.all([once(plain, 'close'), once(silent, 'close')]);
  const broken = connectPlain(port);
  broken.on('error', () => undefined);
  await once(broken, 'connect');
  broken.resetAndDestroy();
  await closed;
  const secure = connect({ port, ca, servername: 'localhost' });
  await once(secure, 'secureConnect');
  secure.write('*1\r\n$4\r\nPING\r\n');
  expect(String((await once(secure, 'data'))[0])).toBe('+PONG\r\n');
  secure.destroy();
});

test('a connection is cut over TLS as it is without', async () => {
  const peer = new KeyValuePeer();
  server = await openServer({ identity, peer });
  const secure = connect({ port: server.address.port, ca, servername: 'localhost' });
  secure.on('error', () => undefined);
  secure.write('*2\r\n$3\r\nGET\r\n$1\r\nx\r\n');
  await once(secure, 'data');
  peer.clients[0]?.cut('for a test');
  await once(secure, 'close');
  expect(peer.gone).toBe(1);
});
