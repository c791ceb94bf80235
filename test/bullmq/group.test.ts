import { expect, test } from 'vitest';
import {
  anyLimits,
  assertRejects,
  heard,
  positionsAfter,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import type { StoredPosition } from '../../src/domain/plan.ts';
import type { Consumer, FilledStore } from '../../src/ports/queue.ts';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import type { RedisAddress } from '../../src/redis/options.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const shards = 8;
const lease = 1_000;

/** A worker of a group, and the shards that it says it works on. */
class Member implements AsyncDisposable {
  readonly owned = new Set<number>();
  readonly close: () => Promise<void>;
  consumer: Consumer;

  private constructor(consumer: Consumer, close: () => Promise<void>) {
    this.consumer = consumer;
    this.close = close;
  }

  static async join(
    address: RedisAddress,
    prefix: string,
    positions: ReadonlyMap<number, StoredPosition> = new Map(),
    fills?: FilledStore,
    leaseMs = lease,
  ): Promise<Member> {
    const queue = await openBullmqAt(address, prefix, { shards, leaseMs, answerTimeoutMs: 500 });
    const owned: number[] = [];
    queue.events.on('assigned', (assigned) => owned.push(...assigned));
    const consumer = await queue.consume({ ...startingAt(positions), fills });
    const member = new Member(consumer, () => queue.close());
    for (const shard of owned) member.owned.add(shard);
    queue.events.on('assigned', (assigned) => {
      for (const shard of assigned) member.owned.add(shard);
    });
    queue.events.on('revoked', (revoked) => {
      for (const shard of revoked) member.owned.delete(shard);
    });
    return member;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** How many shards each has, and that none has two owners. */
function shares(...members: readonly Member[]): readonly number[] {
  const owned = members.flatMap((member) => [...member.owned]);
  expect(new Set(owned).size).toBe(owned.length);
  return members.map((member) => member.owned.size);
}

test('workers share the shards out evenly, as they come and go', async () => {
  const prefix = uniquePrefix();
  const at = serverAt(redis.server.port);
  await using one = await Member.join(at, prefix);
  expect(shares(one)).toEqual([8]);
  await using two = await Member.join(at, prefix);
  await expect.poll(() => shares(one, two)).toEqual([4, 4]);
  const kept = new Set(two.owned);
  await using three = await Member.join(at, prefix);
  await expect.poll(() => [...shares(one, two, three)].sort()).toEqual([2, 3, 3]);
  for (const shard of two.owned) expect(kept).toContain(shard);
  await one.close();
  await expect.poll(() => shares(two, three)).toEqual([4, 4]);
  await two.close();
  await expect.poll(() => shares(three)).toEqual([8]);
});

test('a worker that is not heard of delivers nothing after its lease, others have its shards, and it comes back', async () => {
  const prefix = uniquePrefix();
  await using proxy = await startCuttingProxy(redis.server.port);
  await using away = await Member.join(serverAt(proxy.port), prefix);
  await using near = await Member.join(serverAt(redis.server.port), prefix);
  await expect.poll(() => shares(away, near)).toEqual([4, 4]);
  proxy.leadTo(1);
  await expect.poll(() => near.owned.size).toBe(8);
  await using publisher = await openBullmqAt(serverAt(redis.server.port), prefix, { shards });
  await publisher.publish(someCommands(someSessions, 1, 1));
  expect(await away.consumer.takeNow(anyLimits)).toEqual([]);
  const all = await takeCount(near.consumer, someSessions.length);
  expect(all.length).toBe(someSessions.length);
  await near.consumer.acknowledge(positionsAfter(all));
  expect(heard(await away.consumer.takeNow(anyLimits))).toEqual([]);
  proxy.leadTo(redis.server.port);
  await expect.poll(() => [near.owned.size, away.owned.size]).toEqual([4, 4]);
});

test('no shard is without an owner for longer than the lease and a quarter of it after its owner was heard of last', async () => {
  const prefix = uniquePrefix();
  const { group } = bullmqKeys(prefix);
  // Long enough for a busy machine to be no matter.
  const long = 4_000;
  const join = (port: number) => Member.join(serverAt(port), prefix, new Map(), undefined, long);
  await using proxy = await startCuttingProxy(redis.server.port);
  await using dead = await join(proxy.port);
  await using one = await join(redis.server.port);
  await using two = await join(redis.server.port);
  await expect.poll(() => [...shares(dead, one, two)].sort()).toEqual([2, 3, 3]);
  const [shard] = [...dead.owned];
  const name = (await redis.client.hget(`${group}owners`, `${shard}`)) ?? '';
  proxy.leadTo(1);
  const missedAt = Number(await redis.client.zscore(`${group}members`, name));
  await expect.poll(() => one.owned.size + two.owned.size, { interval: 10 }).toBe(shards);
  const [seconds = 0, microseconds = 0] = await redis.client.time();
  const withoutOwner = Number(seconds) * 1_000 + Number(microseconds) / 1_000 - (missedAt - long);
  expect(withoutOwner).toBeGreaterThan(long);
  expect(withoutOwner).toBeLessThanOrEqual(1.25 * long);
});

test('a worker that fills another store than the others is refused, and the others go on', async () => {
  const prefix = uniquePrefix();
  const at = serverAt(redis.server.port);
  await using one = await Member.join(at, prefix, new Map(), { id: 'one', shared: true });
  await using same = await Member.join(at, prefix, new Map(), { id: 'one', shared: true });
  await assertRejects('GROUP_CONFLICT', Member.join(at, prefix, new Map(), { id: 'another', shared: true }));
  await expect.poll(() => shares(one, same)).toEqual([4, 4]);
});

test('another number of shards is refused, by whoever opens the queue, and what is no queue as well', async () => {
  const prefix = uniquePrefix();
  const at = serverAt(redis.server.port);
  await using queue = await openBullmqAt(at, prefix, { shards });
  await assertRejects('INVALID_CONFIGURATION', openBullmqAt(at, prefix, { shards: shards + 1 }));
  await using same = await openBullmqAt(at, prefix, { shards: undefined });
  expect([same.partitions, same.source]).toEqual([shards, queue.source]);
  await redis.client.hset(`{${prefix}}:commands:guard`, 'layout', '2');
  await assertRejects('QUEUE_TOO_NEW', openBullmqAt(at, prefix, { shards }));
  await queue.publish(someCommands(someSessions, 1, 1));
  await redis.client.del(`{${prefix}}:commands:guard`);
  await assertRejects('QUEUE_CORRUPT', openBullmqAt(at, prefix, { shards }));
});
