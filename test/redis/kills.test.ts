import { expect, test } from 'vitest';
import { readContents, type StoreContents } from '../../src/conformance/store-contents.ts';
import { PlanBuilder, someDeadLetter, someParked, somePosition } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes, entries, oddBytes, source } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { commitUntilDone, memoryAfter, untilDone } from '../support/persistent-commits.ts';
import { startRedis, uniquePrefix } from '../support/redis.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const kills = 15;

/** Plans that touch several sessions each, one after the other, for ever. */
function* work(): Generator<Plan> {
  const builder = new PlanBuilder();
  for (let index = 0; ; index += 1) {
    builder.append(ada, ...entries(index, index + 2)).save(ada, bytes(`{"at":${index}}`));
    builder.append(`session-${index % 7}` as SessionId, oddBytes(20_000 + index)).park(bob, someParked(index + 5));
    if (index % 5 === 4) builder.replace(ada, ...entries(0, 1)).replace(`session-${index % 7}` as SessionId);
    if (index % 9 === 8) builder.unreadable(someDeadLetter(`${index}`, undefined)).remove(ada);
    yield builder.position(source, 0, somePosition(index + 1)).build();
  }
}

/** Commits until one fails because Redis is gone. The plans that were acknowledged, and the one that failed. */
async function commitUntilGone(store: Store, plans: Iterator<Plan>): Promise<{ acknowledged: Plan[]; failed: Plan }> {
  const acknowledged: Plan[] = [];
  for (;;) {
    const plan: Plan = plans.next().value;
    try {
      await store.commit(plan);
      acknowledged.push(plan);
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      return { acknowledged, failed: plan };
    }
  }
}

test('a Redis killed at any moment of a commit holds every acknowledged one whole, and of the last all or nothing', async () => {
  await using redis = await startRedis({ appendfsync: 'always' });
  await using store = await openAt(serverAt(redis.port), uniquePrefix());
  const plans = work();
  const done: Plan[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const killed = systemClock.sleep(3 + ((kill * 7919) % 40)).then(() => redis.kill());
    const { acknowledged, failed } = await commitUntilGone(store, plans);
    await killed;
    await redis.restart();
    done.push(...acknowledged);
    let contents: StoreContents | undefined;
    await untilDone(async () => {
      contents = await readContents(store);
    });
    const next = contents?.positions[source]?.[0]?.[1].next ?? 0;
    expect([done.length, done.length + 1]).toContain(next);
    const wasMade = next > done.length;
    expect(contents).toEqual(await memoryAfter(wasMade ? [...done, failed] : done));
    await commitUntilDone(store, failed);
    done.push(failed);
  }
  expect(done.length).toBeGreaterThan(kills);
  expect(await readContents(store)).toEqual(await memoryAfter(done));
});
