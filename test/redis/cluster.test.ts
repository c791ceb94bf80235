import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { lifeOfTwoSessions } from '../../src/conformance/store-life.ts';
import { PlanBuilder, someDeadLetter, somePosition } from '../../src/conformance/store-plan-builder.ts';
import { ada, bytes, entries, source } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { readDurability } from '../../src/redis/durability.ts';
import { storeUse } from '../../src/redis/failures.ts';
import { commitUntilDone, memoryAfter } from '../support/persistent-commits.ts';
import { type OwnRedisCluster, startRedisCluster, uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { clusterAt, openAt, serverAt } from '../support/redis-harness.ts';

function addressOf(cluster: OwnRedisCluster) {
  return clusterAt(cluster.nodes.map(({ port }) => port));
}

/** Plans whose sessions lie on every master. */
function planned(count: number): readonly Plan[] {
  const builder = new PlanBuilder();
  return Array.from({ length: count }, (_, index) => {
    for (let session = 0; session < 24; session += 1) {
      const id = `session-${session}` as SessionId;
      builder.append(id, ...entries(index, index + 1)).save(id, bytes(`{"at":${index}}`));
      if ((index + session) % 6 === 5) builder.replace(id, ...entries(0, 1));
    }
    return builder
      .unreadable(someDeadLetter(`${index}`, undefined))
      .position(source, 0, somePosition(index + 1))
      .build();
  });
}

test('a master that is killed makes commits fail retryably until it is back; then the same plans are committed', async () => {
  await using cluster = await startRedisCluster();
  await using store = await openAt(addressOf(cluster), uniquePrefix());
  const plans = planned(8);
  let failures = 0;
  for (const [index, plan] of plans.entries()) {
    const [victim] = cluster.nodes.slice(index % 3);
    if (index % 4 !== 3) {
      failures += await commitUntilDone(store, plan);
      continue;
    }
    await victim?.kill();
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    await expect(store.readTotals()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    await victim?.restart();
    failures += await commitUntilDone(store, plan);
  }
  expect(failures).toBeGreaterThan(0);
  expect(await readContents(store)).toEqual(await memoryAfter(plans));
});

test('when a master is killed its replica goes on, and holds whatever was acknowledged', async () => {
  await using cluster = await startRedisCluster({ replicas: 1 });
  const replicas = { count: 1, timeoutMs: 2_000 };
  await using store = await openAt(addressOf(cluster), uniquePrefix(), { replicas });
  const plans = planned(30);
  for (const plan of plans.slice(0, 10)) await store.commit(plan);
  const [, victim] = cluster.nodes;
  await victim?.kill();
  // Its replica becomes a master without a replica, which nothing is acknowledged on until the killed one is that.
  const back = untilMaster(cluster.nodes.slice(3)).then(() => victim?.restart());
  for (const plan of plans.slice(10)) await commitUntilDone(store, plan);
  await back;
  expect(await readContents(store)).toEqual(await memoryAfter(plans));
});

/** Resolves once one of the nodes, replicas so far, is a master. */
async function untilMaster(nodes: OwnRedisCluster['nodes']): Promise<void> {
  const clients = nodes.map(({ port }) => rawClient(port));
  for (;;) {
    const roles = await Promise.all(clients.map((client) => client.role()));
    if (roles.some(([role]) => role === 'master')) break;
    await systemClock.sleep(50);
  }
  for (const client of clients) client.disconnect();
}

test('slots that move to another master while commits go on lose and double nothing', async () => {
  await using cluster = await startRedisCluster();
  await using store = await openAt(addressOf(cluster), uniquePrefix());
  const plans = planned(150);
  for (const plan of plans.slice(0, 5)) await store.commit(plan);
  const moved = moveSlots(cluster, 3_000);
  for (const plan of plans.slice(5)) await commitUntilDone(store, plan);
  expect(await moved).toBe(0);
  expect(await readContents(store)).toEqual(await memoryAfter(plans));
});

/** From the first master to the second. The exit code. */
async function moveSlots(cluster: OwnRedisCluster, slots: number): Promise<number> {
  const [first, second] = await Promise.all([0, 1].map((index) => nodeId(cluster.nodes[index]?.port ?? 0)));
  const to = `127.0.0.1:${cluster.nodes[0]?.port}`;
  const parameters = ['--cluster-from', `${first}`, '--cluster-to', `${second}`, '--cluster-slots', String(slots)];
  const child = spawn('redis-cli', ['--cluster', 'reshard', to, ...parameters, '--cluster-yes'], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return Number(code);
}

async function nodeId(port: number): Promise<string> {
  const child = spawn('redis-cli', ['-p', String(port), 'cluster', 'myid'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  for await (const part of child.stdout) text += part;
  return text.trim();
}

test('a cluster that was configured as a server is refused, and its durability is that of every master', async () => {
  await using cluster = await startRedisCluster();
  const [first] = cluster.nodes;
  const single = openAt(serverAt(first?.port ?? 0), uniquePrefix());
  await expect(single).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
  const options = { address: addressOf(cluster), use: storeUse, answerTimeoutMs: 5_000 };
  expect(await readDurability(options)).toMatchObject({ weaknesses: [], servers: [{}, {}, {}] });
  await using store = await openAt(addressOf(cluster), uniquePrefix());
  expect(store.capabilities).toEqual({
    durable: true,
    shared: true,
    atomicPositions: false,
    layout: 'own',
    backup: false,
  });
  await store.commit(new PlanBuilder().append(ada, ...entries(0, 3)).build());
});

test('in a cluster, too, a user needs no more than the documents say', async () => {
  await using cluster = await startRedisCluster();
  const document = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const rules = document.slice(document.indexOf('ACL SETUSER'), document.indexOf('as well')).match(/\+[^\s`]+/g) ?? [];
  expect(rules).toContain('+cluster|slots');
  for (const { port } of cluster.nodes) {
    const client = rawClient(port);
    await client.call('ACL', 'SETUSER', 'least', 'on', '>let-me-in', '~*', ...rules);
    client.disconnect();
  }
  const access = { ...addressOf(cluster), username: 'least', password: 'let-me-in' };
  await using store = await openAt(access, uniquePrefix());
  const plans = lifeOfTwoSessions();
  for (const plan of plans) await store.commit(plan);
  expect(await readContents(store)).toEqual(await memoryAfter(plans));
  expect(store.capabilities.durable).toBe(true);
});
