import { expect, test } from 'vitest';
import {
  assertRejects,
  positionsAfter,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { deadLetterCount } from '../../src/domain/rule/tally.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Consumer } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import type { BullmqQueue } from '../../src/queues/bullmq/bullmq-queue.ts';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';
import { batchesOf, changeTo, LastingPublisher, LastingWorker } from '../support/shard-changes.ts';

const redis = useOneRedis();
const address = () => serverAt(redis.server.port);
const anyShards = { shards: undefined };

async function storeAll(consumer: Consumer, count: number): Promise<void> {
  await consumer.acknowledge(positionsAfter(await takeCount(consumer, count)));
}

/** How publishing and taking fail for those who have the queue open as it was. */
async function expectSentAway(queue: BullmqQueue, consumer: Consumer): Promise<void> {
  await assertRejects('QUEUE_CHANGED', queue.publish(someCommands(someSessions, 9, 9)));
  await assertRejects('QUEUE_CHANGED', consumer.take({ deliveries: 1, bytes: 1 }));
  await assertRejects('QUEUE_CHANGED', queue.bounds());
}

test('publishers are kept out until all is stored; then the number is another one, and who has the old one is sent away', async () => {
  const prefix = uniquePrefix();
  await using queue = await openBullmqAt(address(), prefix);
  // For somebody whose time passes so fast nothing is tried for long.
  const hasty = { ...systemClock, elapsed: () => systemClock.elapsed() * 1_000 };
  await using impatient = await openBullmqAt(address(), prefix, { clock: hasty });
  await queue.publish(someCommands(someSessions, 1, 1));
  const waiting: number[] = [];
  const change = changeTo(address(), prefix, 5, { onWaiting: (commands) => waiting.push(commands) });
  await expect.poll(() => waiting).toContain(someSessions.length);
  await assertRejects('QUEUE_CHANGING', impatient.publish(someCommands(someSessions, 2, 2)));
  await assertRejects('QUEUE_CHANGING', changeTo(address(), prefix, 4, { clock: hasty }));
  const late = queue.publish(someCommands(someSessions, 2, 2));
  late.catch(() => undefined);
  await using consumer = await queue.consume(startingAt());
  await storeAll(consumer, someSessions.length);
  expect(await change).toEqual({ from: 3, to: 5 });
  await assertRejects('QUEUE_CHANGED', late);
  await expectSentAway(queue, consumer);
  await assertRejects('INVALID_CONFIGURATION', openBullmqAt(address(), prefix, { shards: 3 }));
  await using changed = await openBullmqAt(address(), prefix, { shards: 5 });
  expect([...(await changed.bounds()).values()]).toEqual(Array(5).fill({ start: 0, end: 0 }));
  expect(changed.continues?.source).toBe(queue.source);
  expect(await changeTo(address(), prefix, 5)).toEqual({ from: 5, to: 5 });
  await assertRejects('INVALID_CONFIGURATION', changeTo(address(), uniquePrefix(), 5));
});

test('whoever gives the change up lets publishers in again, and nothing is changed', async () => {
  const prefix = uniquePrefix();
  await using queue = await openBullmqAt(address(), prefix);
  await queue.publish(someCommands(someSessions, 1, 1));
  const giving = new AbortController();
  await assertRejects(
    'ABORTED',
    changeTo(address(), prefix, 5, { onWaiting: () => giving.abort(), signal: giving.signal }),
  );
  await queue.publish(someCommands(someSessions, 2, 2));
  await using same = await openBullmqAt(address(), prefix, { shards: 3 });
  expect(same.source).toBe(queue.source);
});

test('killed at any exchange with Redis, it has changed nothing or everything, and the next one goes on', async () => {
  const outcomes: string[] = [];
  for (let exchange = 0; !outcomes.includes('finished'); exchange += 1) {
    const prefix = uniquePrefix();
    const { guard, change: shutOut } = bullmqKeys(prefix);
    await using queue = await openBullmqAt(address(), prefix);
    await queue.publish(someCommands(someSessions, 1, 1));
    await using consumer = await queue.consume(startingAt());
    await using proxy = await startCuttingProxy(redis.server.port);
    const killed = new AbortController();
    proxy.dieAt(exchange, () => killed.abort());
    let stored: Promise<void> | undefined;
    const onWaiting = (): void => {
      stored ??= storeAll(consumer, someSessions.length);
    };
    const change = changeTo(serverAt(proxy.port), prefix, 5, { onWaiting, signal: killed.signal });
    const isFinished = await change.then(
      () => true,
      () => false,
    );
    await (stored ?? storeAll(consumer, someSessions.length));
    const isChanged = (await redis.client.hget(guard, 'shards')) === '5';
    outcomes.push(isFinished ? 'finished' : isChanged ? 'changed' : 'kept');
    // What keeps publishers out lapses by itself: -2 where it is not there.
    expect(await redis.client.pttl(shutOut)).not.toBe(-1);
    await redis.client.del(shutOut);
    if (isChanged) await expectSentAway(queue, consumer);
    else {
      await queue.publish(someCommands(someSessions, 2, 2));
      await storeAll(consumer, someSessions.length);
    }
    await changeTo(address(), prefix, 5);
    await using changed = await openBullmqAt(address(), prefix, { shards: 5 });
    await changed.publish(someCommands(someSessions, 3, 3));
    expect(changed.continues?.source).toBe(queue.source);
  }
  // It had read which queue it is, had shut publishers out, had changed it.
  expect(outcomes).toEqual(['kept', 'kept', 'changed', 'finished']);
});

test('what keeps publishers out ends by itself when nobody is there any more', async () => {
  const prefix = uniquePrefix();
  await using queue = await openBullmqAt(address(), prefix);
  await queue.publish(someCommands(someSessions, 1, 1));
  await using proxy = await startCuttingProxy(redis.server.port);
  const killed = new AbortController();
  const onWaiting = (): void => {
    proxy.leadTo(1);
    killed.abort();
  };
  await changeTo(serverAt(proxy.port), prefix, 5, { onWaiting, signal: killed.signal }).catch(() => undefined);
  expect(await redis.client.exists(bullmqKeys(prefix).change)).toBe(1);
  await queue.publish(someCommands(someSessions, 2, 2));
});

/** The marks of the entries of a session's log, in their order. */
async function marksOf(store: Store, session: SessionId): Promise<readonly string[]> {
  await using view = await store.openSession(session);
  const marks: string[] = [];
  for await (const page of view?.log() ?? []) {
    for (const entry of page) marks.push(JSON.parse(Buffer.from(entry).toString('utf8')).message_id);
  }
  return marks;
}

test('live publishers and workers go on over one change after another, and no session overtakes itself', async () => {
  const prefix = uniquePrefix();
  const open = () => openBullmqAt(address(), prefix, { ...anyShards, leaseMs: 2_000 });
  await (await openBullmqAt(address(), prefix)).close();
  await using store = await openAt(address(), `${prefix}-store`);
  await using other = await openAt(address(), `${prefix}-store`);
  const workers = [store, other].map((each) => new LastingWorker(open, each));
  const publishers = [0, 1, 2].map(
    (index) => new LastingPublisher(open, someSessions.slice(10 * index, 10 * index + 10)),
  );
  for (const shards of [5, 2, 8, 1, 3]) {
    const before = publishers.map(({ published }) => published);
    await expect
      .poll(() => publishers.every(({ published }, index) => published > (before[index] ?? 0) + 5))
      .toBe(true);
    expect((await changeTo(address(), prefix, shards)).to).toBe(shards);
  }
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  const total = publishers.reduce((sum, { published }) => sum + 10 * published, 0);
  await expect.poll(() => workers.reduce((sum, { tally }) => sum + tally.applied, 0)).toBe(total);
  await Promise.all(workers.map((worker) => worker.stop()));
  for (const { tally } of workers) expect([tally.parked, deadLetterCount(tally)]).toEqual([0, 0]);
  for (const [index, { published }] of publishers.entries()) {
    for (const session of someSessions.slice(10 * index, 10 * index + 10)) {
      expect(await marksOf(store, session)).toEqual(Array.from({ length: published }, (_, at) => `${at + 1}`));
    }
  }
}, 120_000);

/** Persists what the queue holds, as a worker does that is started now. */
async function persist(prefix: string, store: Store): Promise<void> {
  await using queue = await openBullmqAt(address(), prefix, anyShards);
  await batchesOf(queue, store).runUntilCaughtUp();
}

test('a store that lacks something from before the change is refused', async () => {
  const prefix = uniquePrefix();
  const store = createMemoryStore();
  await using queue = await openBullmqAt(address(), prefix);
  await queue.publish(someCommands(someSessions, 1, 1));
  await persist(prefix, store);
  await queue.publish(someCommands(someSessions, 2, 2));
  await using consumer = await queue.consume(startingAt(await store.readPositions(queue.source)));
  await storeAll(consumer, someSessions.length);
  await changeTo(address(), prefix, 5);
  await assertRejects('SOURCE_LOST_HISTORY', persist(prefix, store));
});

test('a store that lacks nothing goes on, also after changes between which nothing was published', async () => {
  const prefix = uniquePrefix();
  const store = createMemoryStore();
  await using queue = await openBullmqAt(address(), prefix);
  await queue.publish(someCommands(someSessions, 1, 1));
  await persist(prefix, store);
  await changeTo(address(), prefix, 5);
  await changeTo(address(), prefix, 2);
  await using changed = await openBullmqAt(address(), prefix, anyShards);
  await changed.publish(someCommands(someSessions, 2, 2));
  await persist(prefix, store);
  const cursors = await store.readCursors(someSessions);
  expect(cursors.map((cursor) => cursor?.last)).toEqual(someSessions.map(() => 2));
});
