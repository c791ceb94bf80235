import { expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { SourceId } from '../../../src/domain/plan.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryQueue, type MemoryQueue } from '../../../src/queues/memory/memory-queue.ts';
import type { RebuildOptions } from '../../../src/replay/rebuild.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { digestSession } from '../../../src/transfer/session-digest.ts';
import { StoreSource } from '../../../src/transfer/store-source.ts';
import { append, claim, create, skip } from '../../support/commands.ts';
import { digestOf, rebuilt, worked } from '../../support/rebuilding.ts';

const sessions = Array.from({ length: 20 }, (_, index) => `session-${index}`);
/** Begun when the backup was made; the others begin afterwards. */
const old = sessions.slice(0, 12);
/** Nothing is sent to these any more. */
const quiet = old.slice(0, 2);
const going = sessions.slice(2);

interface Truncated {
  readonly queue: MemoryQueue;
  /** A store as it was when everything before was removed from the queue. */
  readonly backup: Store;
}

/** A queue that has removed what a store had consumed, and got more since. */
async function truncated(): Promise<Truncated> {
  const retention = { ageMs: 0, bytes: 0 };
  const queue = createMemoryQueue({
    source: 'memory:truncated' as SourceId,
    clock: systemClock,
    partitions: 3,
    retention,
  });
  for (const session of old) {
    await queue.publish([create(1, { session }), append(2, 'two', { session }), append(4, 'early', { session })]);
  }
  await queue.publish([claim(2, '//test/two', 'session-3')]);
  const backup = createMemoryStore();
  await worked(queue, backup);
  for (const session of going) {
    const first = old.includes(session) ? 3 : 1;
    if (session === 'session-3') await queue.publish([append(3, 'three', { session, epoch: 2, writer: '//test/two' })]);
    else if (session === 'session-4')
      await queue.publish([skip(3, 1, '00000000-0000-4000-8000-000000000001', session)]);
    else if (session === 'session-13')
      await queue.publish([claim(1, '//test/one', session), append(1, 'one', { session })]);
    else await queue.publish([append(first, 'next', { session }), append(first + 1, 'then', { session })]);
  }
  return { queue, backup };
}

async function refusal(queue: MemoryQueue, options: Partial<RebuildOptions> = {}) {
  const lost: string[] = [];
  const target = createMemoryStore();
  const onLost = async (session: string): Promise<void> => void lost.push(session);
  const error = await rebuilt(queue, target, { ...options, onLost }).catch((caught: unknown) => caught);
  expect(await target.readSources()).toEqual([]);
  return { error, lost };
}

test('where early commands are gone, it names the sessions that cannot be built whole, and builds nothing', async () => {
  const { queue } = await truncated();
  const { error, lost } = await refusal(queue);
  expect(error).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
  const expected = old.filter((session) => !quiet.includes(session));
  expect(lost.toSorted()).toEqual(expected.toSorted());
  expect(`${error}`).toContain(`Of ${expected.length} sessions`);
  expect((await refusal(queue, { selection: { ids: new Set(['session-5', 'session-14']) } })).lost).toEqual([
    'session-5',
  ]);
});

test('from a backup on, it is exactly the store that the worker goes on to make', async () => {
  const { queue, backup } = await truncated();
  const target = createMemoryStore();
  const base = new StoreSource(backup);
  await rebuilt(queue, target, { base });
  const again = await rebuilt(queue, target, { base });
  expect(again.deliveries).toBe(0);
  await worked(queue, backup);
  expect(await digestOf(target)).toBe(await digestOf(backup));
  expect(await target.readPositions(queue.source)).toEqual(await backup.readPositions(queue.source));
});

test('broken off while it copies the backup, it goes on with that', async () => {
  const { queue, backup } = await truncated();
  const target = createMemoryStore();
  const base = new StoreSource(backup);
  const stopping = new AbortController();
  const { signal } = stopping;
  const half = rebuilt(queue, target, { base, signal, onPhase: () => stopping.abort() });
  await expect(half).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(worked(queue, target)).rejects.toMatchObject({ code: 'COPY_INCOMPLETE' });
  await rebuilt(queue, target, { base });
  await worked(queue, backup);
  expect(await digestOf(target)).toBe(await digestOf(backup));
});

test('some sessions from a backup on are what they are in the whole store', async () => {
  const { queue, backup } = await truncated();
  const target = createMemoryStore();
  const ids = new Set(['session-0', 'session-3', 'session-5', 'session-15']);
  await rebuilt(queue, target, { base: new StoreSource(backup), selection: { ids } });
  await worked(queue, backup);
  const [found, live] = [new StoreSource(target), new StoreSource(backup)];
  for (const session of ids) {
    await using one = await found.open(session as SessionId);
    await using other = await live.open(session as SessionId);
    if (one === undefined || other === undefined) throw new Error(`${session} is missing`);
    expect(await digestSession(one)).toBe(await digestSession(other));
  }
  expect((await target.listCursors({ limit: 99 })).map(([session]) => session).toSorted()).toEqual([...ids].toSorted());
  await expect(worked(queue, target)).rejects.toMatchObject({ code: 'STORE_PARTIAL' });
});

test('a backup that the source does not go on from is refused before anything is written', async () => {
  const { queue, backup } = await truncated();
  const tooOld = createMemoryStore();
  const other = createMemoryStore();
  const elsewhere = createMemoryQueue({ source: 'memory:other' as SourceId, clock: systemClock });
  await elsewhere.publish([create(1)]);
  await worked(elsewhere, other);
  const young = createMemoryQueue({ source: queue.source, clock: systemClock, partitions: 3 });
  await young.publish(old.map((session) => create(1, { session })));
  await rebuilt(young, tooOld, { until: { offsets: new Map([0, 1, 2].map((partition) => [partition, 1])) } });
  for (const base of [tooOld, other, createMemoryStore()]) {
    const { error, lost } = await refusal(queue, { base: new StoreSource(base) });
    expect([error, lost]).toEqual([expect.objectContaining({ code: 'SOURCE_LOST_HISTORY' }), []]);
  }
  const { error } = await refusal(young, { base: new StoreSource(backup) });
  expect(error).toMatchObject({ code: 'SOURCE_LOST_HISTORY', message: expect.stringContaining('back in time') });
  expect(error).toBeInstanceOf(PersistenceError);
});

test('what is left is built where that is accepted, and the sessions without a beginning wait', async () => {
  const { queue } = await truncated();
  const { tally, sessions: built } = await rebuilt(queue, createMemoryStore(), { acceptsNewQueue: true });
  expect(tally.parked).toBeGreaterThan(0);
  expect(tally.applied).toBeGreaterThan(0);
  expect(built).toBeGreaterThan(8);
});
