import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PlanBuilder, someDeadLetter, someParked, somePosition } from '../../src/conformance/store-plan-builder.ts';
import { ada, bytes, entries, oddBytes, source } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { countSyncs } from '../support/counted-syncs.ts';
import { startRedis, uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const sessions = Array.from({ length: 2_000 }, (_, index) => `session-${index}` as SessionId);

/** Small commits, and some of several MiB that write to thousands of keys. */
function plans(): readonly Plan[] {
  const builder = new PlanBuilder();
  return Array.from({ length: 30 }, (_, index) => {
    if (index % 10 === 9) for (const session of sessions) builder.append(session, oddBytes(2_000 + index));
    return builder
      .append(ada, ...entries(index, index + 2))
      .save(ada, bytes(`{"at":${index}}`))
      .park(ada, someParked(index + 900))
      .unreadable(someDeadLetter(`${index}`, undefined))
      .position(source, 0, somePosition(index + 1))
      .build();
  });
}

test('with appendfsync always, a commit of any size is synced exactly once', async () => {
  await using redis = await startRedis({ appendfsync: 'always', 'auto-aof-rewrite-percentage': '0' });
  const directory = mkdtempSync(join(tmpdir(), 'counted-syncs-'));
  const client = rawClient(redis.port);
  try {
    await using store = await openAt(serverAt(redis.port), uniquePrefix());
    const all = plans();
    const information = await client.info('server');
    const pid = Number(/process_id:(\d+)/.exec(information)?.[1]);
    const counter = await countSyncs(pid, join(directory, 'calls'));
    for (const plan of all) await store.commit(plan);
    expect(await counter.end()).toBe(all.length);
  } finally {
    client.disconnect();
    rmSync(directory, { recursive: true });
  }
});
