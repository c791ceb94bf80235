import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAuthority } from '../../scripts/services/certificates.mjs';
import { Canaries } from '../support/canaries.ts';
import { freePort } from '../support/free-port.ts';
import { type Ending, runProgram } from '../support/program.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';

const canaries = new Canaries();
const password = canaries.mark('Password');
const wrong = canaries.mark('Wrong');

let directory: string;
let redis: OwnRedis;
let tlsPort: number;
let authority: string;
const said: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'redis-secured-'));
  const { certificate, issue } = await makeAuthority(join(directory, 'authority'));
  authority = certificate;
  const server = issue('server');
  tlsPort = await freePort();
  redis = await startRedis({
    requirepass: password,
    'tls-port': String(tlsPort),
    'tls-cert-file': server.certificate,
    'tls-key-file': server.key,
    'tls-ca-cert-file': certificate,
    'tls-auth-clients': 'no',
  });
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const event =
  '{"specversion":"1.0","id":"a/1/1","source":"//me","type":"macp.session.create.v1","subject":"a","macpsequence":1,"macpepoch":1}\n';

/** Runs it with the queue of a directory of its own and a store in that Redis. */
async function run(
  words: readonly string[],
  store: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  const environment = {
    MACP_PERSIST_STORE: store,
    MACP_PERSIST_LOG_LEVEL: 'trace',
    MACP_PERSIST_HTTP_PORT: '0',
    ...more,
  };
  const ending = await runProgram(words, { directory, environment, input: event });
  said.push(ending.stdout, ending.stderr);
  return ending;
}

function secured(of = password): string {
  return `rediss://default:${of}@127.0.0.1:${tlsPort}/0?prefix=secured`;
}

const caughtUp = ['worker', '--exit-when-caught-up'];

describe('a store in a Redis with TLS and a password', () => {
  test('is filled and read by who has both', async () => {
    const trusting = { MACP_PERSIST_REDIS_TLS_CA: authority };
    expect(await run(['publish', '-'], secured(), trusting)).toMatchObject({ code: 0 });
    expect(await run(caughtUp, secured(), trusting)).toMatchObject({ code: 0 });
    expect(await run(['sessions', 'list'], secured(), trusting)).toEqual({ code: 0, stdout: 'a\n', stderr: '' });
    const doctor = await run(['doctor'], secured(), trusting);
    expect(doctor.stdout).toMatch(/^ok +redis +version 7.*: what it acknowledges survives a power cut$/m);
    expect((await run(['config'], secured(), trusting)).stdout).toContain(`rediss://(secret)@127.0.0.1:${tlsPort}/0`);
  });

  test.concurrent.each<[string, () => string, Readonly<Record<string, () => string>>, RegExp]>([
    [
      'a wrong password',
      () => secured(wrong),
      { MACP_PERSIST_REDIS_TLS_CA: () => authority },
      /refuses the user or the password: WRONGPASS/,
    ],
    [
      'no password',
      () => `rediss://127.0.0.1:${tlsPort}/0`,
      { MACP_PERSIST_REDIS_TLS_CA: () => authority },
      /refuses the user or the password: NOAUTH/,
    ],
    ['an authority that nobody named', () => secured(), {}, /and this process do not agree on TLS/],
    [
      'an authority that is none',
      () => secured(),
      { MACP_PERSIST_REDIS_TLS_CA: () => notPem() },
      /redis\.tlsCa: .*none\.pem holds no certificate in PEM/,
    ],
  ])('is refused with %s, which is told', async (_, store, variables, says) => {
    const given = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value()]));
    const ending = await run(['sessions', 'list'], store(), given);
    expect([ending.code, ending.stdout]).toEqual([2, '']);
    expect(ending.stderr).toMatch(/^macp-persist: INVALID_CONFIGURATION: /);
    expect(ending.stderr).toMatch(says);
  });

  test('never tells a password', () => {
    expect(said.flatMap((text) => canaries.in(text))).toEqual([]);
  });
});

function notPem(): string {
  const file = join(directory, 'none.pem');
  writeFileSync(file, wrong);
  return file;
}
