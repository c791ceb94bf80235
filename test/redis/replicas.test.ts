import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { lifeOfTwoSessions } from '../../src/conformance/store-life.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { commitUntilDone, memoryAfter } from '../support/persistent-commits.ts';
import { runProgram } from '../support/program.ts';
import { startRedis, uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

test('what is acknowledged is held by as many replicas as are asked for, also after lost answers', async () => {
  await using master = await startRedis();
  await using replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
  await using proxy = await startCuttingProxy(master.port);
  const prefix = uniquePrefix();
  const replicas = { count: 1, timeoutMs: 1_000 };
  await using store = await openAt(serverAt(proxy.port), prefix, { replicas });
  const plans = lifeOfTwoSessions();
  for (const [index, plan] of plans.entries()) {
    if (index % 2 === 1) proxy.swallowAnswer();
    await commitUntilDone(store, plan);
  }
  await master.kill();
  await using successor = await promoted(replica.port, prefix);
  expect(await readContents(successor)).toEqual(await memoryAfter(plans));
});

test('while too few replicas hold a commit it is not acknowledged; once they do, the same plan is done', async () => {
  await using master = await startRedis();
  await using replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const prefix = uniquePrefix();
  const replicas = { count: 1, timeoutMs: 100 };
  await using store = await openAt(serverAt(master.port), prefix, { replicas });
  const [first, second, third] = lifeOfTwoSessions();
  if (first === undefined || second === undefined || third === undefined) return;
  await commitUntilDone(store, first);
  replica.pause();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await expect(store.commit(second)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  }
  replica.resume();
  await commitUntilDone(store, second);
  await commitUntilDone(store, third);
  await master.kill();
  await using successor = await promoted(replica.port, prefix);
  expect(await readContents(successor)).toEqual(await memoryAfter([first, second, third]));
});

test('doctor warns of an address that leads to a replica', async () => {
  await using master = await startRedis();
  await using replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const directory = mkdtempSync(join(tmpdir(), 'redis-replica-'));
  const environment = { MACP_PERSIST_STORE: `${replica.address}/0`, MACP_PERSIST_HTTP_PORT: '0' };
  const { stdout } = await runProgram(['doctor'], { directory, environment });
  rmSync(directory, { recursive: true });
  expect(stdout).toMatch(/^warning +redis +it is a replica and takes no writes$/m);
  expect(stdout).not.toMatch(/^ok +redis /m);
});

/** The store in a replica that was made a master. */
async function promoted(port: number, prefix: string) {
  const client = rawClient(port);
  await client.replicaof('NO', 'ONE');
  client.disconnect();
  return openAt(serverAt(port), prefix);
}
