import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { freePorts } from '../../scripts/services/ports.mjs';
import { cleanEnvironment } from '../support/program.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { type CallFailed, RuntimeClient } from './runtime-client.ts';

let directory: string;
let redis: OwnRedis;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'interop-failover-'));
  redis = await startRedis();
  const script = /```sh\n(#!\/bin\/sh\n[\s\S]*?)```/.exec(readFileSync(join(root, 'docs/failover.md'), 'utf8'))?.[1];
  writeFileSync(join(directory, 'keep-macp-runtime'), script ?? '');
  chmodSync(join(directory, 'keep-macp-runtime'), 0o700);
  symlinkSync(process.env['MACP_PERSIST_TEST_RUNTIME_0_13_0'] ?? '', join(directory, 'macp-runtime'));
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** The script of docs/failover.md over a runtime at a port of this machine, and what it says until it has ended. */
async function keepRuntime(store: string) {
  const [port = 0] = await freePorts(1);
  const child = spawn(join(directory, 'keep-macp-runtime'), {
    env: {
      ...cleanEnvironment,
      PATH: `${directory}:${process.env['PATH']}`,
      MACP_ALLOW_INSECURE: '1',
      MACP_BIND_ADDR: `127.0.0.1:${port}`,
      MACP_STORAGE_BACKEND: 'redis',
      MACP_REDIS_URL: store,
      MACP_PROBE_TOKEN: 'probe',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const ended = Promise.all([text(child.stderr), once(child, 'close')]).then(([said]) => said);
  return {
    child,
    port,
    ended,
    async [Symbol.asyncDispose]() {
      // The script and its runtime.
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}

async function serves(port: number): Promise<void> {
  for (;;) {
    await using client = new RuntimeClient(port);
    try {
      if ((await client.health()) === 1) return;
    } catch {
      await delay(20);
    }
  }
}

test('keep-macp-runtime leaves a runtime alone that reaches its store, and kills it when its connection is gone', async () => {
  await using kept = await keepRuntime(redis.address);
  const { child, port, ended } = kept;
  await serves(port);
  // It asks every second: twice, at least.
  await delay(2_500);
  expect(child.exitCode).toBe(null);

  await using client = new RuntimeClient(port);
  const admin = new Redis(redis.port);
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  admin.disconnect();
  const unknown = client.decisionReceipt('nobody-has-begun-this-one', 'probe');
  await expect(unknown).rejects.toMatchObject({ status: 13 } satisfies Partial<CallFailed>);
  expect(await client.health()).toBe(1);
  expect(await ended).toContain('macp-runtime can reach its store no more: killed');
  expect(child.exitCode).toBe(128 + 9);
});

test('keep-macp-runtime ends with the runtime: where there is no store to start with, and at SIGTERM', async () => {
  const [nobody = 0] = await freePorts(1);
  await using without = await keepRuntime(`redis://127.0.0.1:${nobody}`);
  await without.ended;
  expect(without.child.exitCode).toBe(1);

  await using kept = await keepRuntime(redis.address);
  await serves(kept.port);
  kept.child.kill('SIGTERM');
  await kept.ended;
  expect(kept.child.exitCode).toBe(0);
});
