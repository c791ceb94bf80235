import { once } from 'node:events';
import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { append, create, entryText } from '../../support/commands.ts';
import { pipelineOf } from '../../support/pipelines.ts';
import { ScriptedQueue } from '../../support/scripted-queue.ts';

const session = 'a-session-of-the-tests-1' as SessionId;

/** A store that several workers share: what `methods` name is called instead of the store's own. */
function sharedStore(shared: Store, methods: Partial<Store> = {}): Store {
  return new Proxy(shared, {
    get(target, property) {
      if (property === 'capabilities') return { ...target.capabilities, shared: true };
      const value: unknown = Reflect.get(property in methods ? methods : target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function logOf(store: Store): Promise<readonly string[]> {
  await using view = await store.openSession(session);
  const texts: string[] = [];
  for await (const page of view?.log() ?? []) for (const entry of page) texts.push(Buffer.from(entry).toString());
  return texts;
}

test('a worker that decides again after another has gone on with its partition never takes the position back', async () => {
  const memory = createMemoryStore();
  const [queue, twin] = [new ScriptedQueue(), new ScriptedQueue()];
  const nexts: (number | undefined)[] = [];
  let isOvertaken = false;
  const slow = pipelineOf(
    queue,
    sharedStore(memory, {
      commit: async (plan: Plan) => {
        if (isOvertaken) {
          await memory.commit(plan);
          nexts.push(...plan.positions.map(({ to }) => to.next));
          return;
        }
        isOvertaken = true;
        twin.add(append(1, 'm1'), append(2, 'm2'), append(3, 'm3'));
        await pipelineOf(twin, sharedStore(memory)).runUntilCaughtUp();
        throw new PersistenceError('CURSOR_MISMATCH', 'changed');
      },
    }),
  );
  queue.add(append(1, 'm1'), append(2, 'm2'));
  const working = slow.run();
  await Promise.race([once(slow, 'interrupted'), once(slow, 'committed')]);
  expect(nexts).toEqual([]);
  queue.nextPosition();
  queue.add(append(4, 'm4'));
  await once(slow, 'committed');
  await slow.stop();
  await working;
  expect(nexts).toEqual([4]);
  expect(await logOf(memory)).toEqual(['m1', 'm2', 'm3', 'm4'].map(entryText));
});

test('a worker whose parked commands another one has drained meanwhile goes on from there, and calls nothing corrupt', async () => {
  const memory = createMemoryStore();
  const [queue, twin] = [new ScriptedQueue(), new ScriptedQueue()];
  let isOvertaken = false;
  const slow = pipelineOf(
    queue,
    sharedStore(memory, {
      readParked: async (...asked: Parameters<Store['readParked']>) => {
        if (!isOvertaken) {
          isOvertaken = true;
          twin.add(create(1), append(3, 'm3'), append(2, 'm2'));
          await pipelineOf(twin, sharedStore(memory)).runUntilCaughtUp();
        }
        return await memory.readParked(...asked);
      },
    }),
  );
  queue.add(create(1), append(3, 'm3'));
  const working = slow.run();
  await once(slow, 'committed');
  queue.add(append(2, 'm2'));
  await Promise.race([once(slow, 'interrupted'), working]);
  queue.add(append(4, 'm4'));
  await once(slow, 'committed');
  await slow.stop();
  await working;
  expect(await logOf(memory)).toEqual(['m2', 'm3', 'm4'].map(entryText));
});

test('a parked command that is missing while nobody else has touched its session is still told as damage', async () => {
  const memory = createMemoryStore();
  const queue = new ScriptedQueue();
  const missing = new PersistenceError('STORE_CORRUPT', 'not in the store');
  const store = sharedStore(memory, { readParked: () => Promise.reject(missing) });
  queue.add(create(1), append(3, 'm3'));
  queue.add(append(2, 'm2'));
  await expect(pipelineOf(queue, store).runUntilCaughtUp()).rejects.toBe(missing);
});

test('what has to be decided again is decided at once, without waiting for what comes next', async () => {
  const memory = createMemoryStore();
  const queue = new ScriptedQueue();
  let isChanged = false;
  const store = sharedStore(memory, {
    commit: async (plan: Plan) => {
      if (isChanged) return await memory.commit(plan);
      isChanged = true;
      await systemClock.sleep(5);
      throw new PersistenceError('CURSOR_MISMATCH', 'changed');
    },
  });
  const pipeline = pipelineOf(queue, store);
  queue.add(append(1, 'm1'));
  const working = pipeline.run();
  await once(pipeline, 'committed');
  expect(await logOf(memory)).toEqual([entryText('m1')]);
  await pipeline.stop();
  await working;
});

test('a partition is let go only once what has to be decided again is committed', async () => {
  const memory = createMemoryStore();
  const queue = new ScriptedQueue();
  let commits = 0;
  const store = sharedStore(memory, {
    commit: async (plan: Plan) => {
      commits += 1;
      await systemClock.sleep(5);
      if (commits === 1) throw new PersistenceError('CURSOR_MISMATCH', 'changed');
      await memory.commit(plan);
    },
  });
  const pipeline = pipelineOf(queue, store);
  queue.add(append(1, 'm1'));
  const working = pipeline.run();
  while (commits === 0) await systemClock.sleep(1);
  await queue.revoke();
  expect(queue.acknowledged.map((positions) => positions.get(0)?.next)).toEqual([1]);
  await pipeline.stop();
  await working;
});
