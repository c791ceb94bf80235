import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAuthority } from '../../scripts/services/certificates.mjs';
import { documentedRules } from '../support/documented-rules.ts';
import { freePort } from '../support/free-port.ts';
import { QueueProgram } from '../support/queue-program.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';

let directory: string;
let redis: OwnRedis;
let tlsPort: number;
let authority: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bullmq-secured-'));
  const { certificate, issue } = await makeAuthority(join(directory, 'authority'));
  authority = certificate;
  const server = issue('server');
  tlsPort = await freePort();
  redis = await startRedis({
    'tls-port': String(tlsPort),
    'tls-cert-file': server.certificate,
    'tls-key-file': server.key,
    'tls-ca-cert-file': certificate,
    'tls-auth-clients': 'no',
  });
  const client = rawClient(redis.port);
  await client.call('ACL', 'SETUSER', 'macp-queue', 'on', '>secret', ...documentedRules());
  client.disconnect();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const event = (sequence: number): string =>
  `{"specversion":"1.0","id":"a/1/${sequence}","source":"//me","type":"macp.receipt.store.v1","subject":"a","macpsequence":${sequence},"macpepoch":1,"data":{}}\n`;

const addressWith = (user: string): string => `bullmqs://${user}@127.0.0.1:${tlsPort}/0?prefix=macp`;

test('the user that is documented publishes, works, changes the shards and asks the doctor, all of it over TLS', async () => {
  await using program = new QueueProgram({
    MACP_PERSIST_QUEUE: addressWith('macp-queue:secret'),
    MACP_PERSIST_BULLMQ_TLS_CA: authority,
  });
  const work = () => program.json(['worker', '--exit-when-caught-up']);
  expect(await program.run(['publish', '-'], { input: event(1) })).toMatchObject({ code: 0 });
  expect(await work()).toMatchObject([{ tally: { applied: 1 } }]);
  expect(await program.json(['repartition', '--bullmq-shards', '3'])).toEqual([{ from: 8, to: 3 }]);
  expect(await program.run(['publish', '-'], { input: event(2) })).toMatchObject({ code: 0 });
  expect(await work()).toMatchObject([{ tally: { applied: 1, parked: 0 } }]);
  const { stdout } = await program.run(['doctor']);
  expect(stdout).toMatch(/bullmq.*appendonly yes, appendfsync always/);
});

test.each([
  [
    'a wrong password',
    { MACP_PERSIST_QUEUE: () => addressWith('macp-queue:wrong') },
    /refuses the user or the password/,
  ],
  ['a server whose authority is not known', { MACP_PERSIST_BULLMQ_TLS_CA: () => undefined }, /do not agree on TLS/],
])('%s is told as what it is, without the password', async (_, other, says) => {
  const given = {
    MACP_PERSIST_QUEUE: () => addressWith('macp-queue:secret'),
    MACP_PERSIST_BULLMQ_TLS_CA: () => authority,
    ...other,
  };
  const environment = Object.entries(given).flatMap(([name, value]) => {
    const text = value();
    return text === undefined ? [] : [[name, text] as const];
  });
  await using program = new QueueProgram(Object.fromEntries(environment));
  const { code, stdout, stderr } = await program.run(['publish', '-'], { input: event(3) });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/:secret|:wrong/);
});
