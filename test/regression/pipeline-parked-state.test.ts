import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PersistenceError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { append, create, entryText } from '../support/commands.ts';
import { createHeldStore } from '../support/held-store.ts';
import { ScriptedQueue } from '../support/scripted-queue.ts';

const session = 'a-session-of-the-tests-1' as SessionId;

function pipelineOf(queue: ScriptedQueue, store: Store, cachedSessions: number, backoff = { initial: 1, maximum: 1 }) {
  const limits = { deliveries: 100, bytes: 1_000_000 };
  return new Pipeline({ queue, store, clock: systemClock, limits, cachedSessions, backoff });
}

async function logOf(store: Store): Promise<readonly string[]> {
  await using view = await store.openSession(session);
  const texts: string[] = [];
  for await (const page of view?.log() ?? []) for (const entry of page) texts.push(Buffer.from(entry).toString());
  return texts;
}

const others = () =>
  Array.from({ length: 20 }, (_, index) => create(1, { session: `another-session-of-tests-${index}` }));

describe('parked commands', () => {
  // A session that other sessions of its batch pushed out of the cache was then taken to have nothing parked.
  it('are not forgotten when their session is pushed out of the cache by its own batch', async () => {
    const stores = [];
    for (const cachedSessions of [1, 10, 100_000]) {
      const queue = new ScriptedQueue();
      const { store } = createHeldStore();
      queue.add(create(1), append(3, 'm3'));
      queue.add(append(9, 'm9'), ...others());
      queue.add(append(3, 'another m3'), append(2, 'm2'));
      const { tally } = await pipelineOf(queue, store, cachedSessions).runUntilCaughtUp();
      expect(tally).toMatchObject({ drained: 1, deadLetters: { conflict: 1 } });
      expect(await logOf(store)).toEqual(['m2', 'm3'].map(entryText));
      stores.push((await store.readParkedHeaders(session)).map(({ sequence }) => sequence));
    }
    expect(stores).toEqual([[9], [9], [9]]);
  });

  // Only the latest of several runs was kept loaded, so that the first was asked for again, without end.
  it('drain in several runs of one session within one batch', async () => {
    const queue = new ScriptedQueue();
    const { store } = createHeldStore();
    queue.add(create(1), append(2, 'm2'), append(3, 'm3'));
    queue.add(append(5, 'm5'), append(6, 'm6'), append(8, 'm8'), append(9, 'm9'));
    await pipelineOf(queue, store, 100).runUntilCaughtUp();
    queue.add(append(4, 'm4'), append(7, 'm7'));
    const { tally } = await pipelineOf(queue, store, 100).runUntilCaughtUp();
    expect(tally).toMatchObject({ applied: 6, drained: 4 });
    expect(await logOf(store)).toEqual(['m2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9'].map(entryText));
  });

  // What the next batch could not load hid what had become of the commit that it waited for.
  it('of a commit that was given up do not make a clean stop look like a corrupt store', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    queue.add(create(1));
    await pipelineOf(queue, held.store, 100).runUntilCaughtUp();
    const pipeline = pipelineOf(queue, held.store, 100, { initial: 60_000, maximum: 60_000 });
    held.failNext(new PersistenceError('DISK_FULL', 'full'));
    queue.add(append(3, 'm3'));
    queue.add(append(2, 'm2'));
    const running = pipeline.run();
    await once(pipeline, 'retrying');
    while (queue.taken < 3) await new Promise(setImmediate);
    await pipeline.stop();
    expect((await running).commits).toBe(0);
    expect(pipeline.state).toBe('stopped');
  });

  it('of a commit that failed for good leave its error to be told', async () => {
    const queue = new ScriptedQueue();
    const held = createHeldStore();
    queue.add(create(1), append(3, 'm3'));
    queue.add(append(2, 'm2'));
    held.failNext(new PersistenceError('STORE_IO_FAILED', 'fsync failed'));
    await expect(pipelineOf(queue, held.store, 100).run()).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
  });
});
