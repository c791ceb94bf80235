import { expect, test } from 'vitest';
import {
  anyLimits,
  assertRejects,
  positionsAfter,
  someCommand,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import type { Consumer, QueuedDelivery } from '../../src/ports/queue.ts';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { startRedis, uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { serverAt } from '../support/redis-harness.ts';

const ada = parseSessionId('ada');
const bob = parseSessionId('bob');

/** A worker that has taken two commands, of which the Redis that it finds now has the first only. */
interface TakenOver {
  readonly consumer: Consumer;
  readonly taken: readonly QueuedDelivery[];
  /** How many jobs wait in that Redis. */
  waiting(): Promise<number>;
}

/** `published`: how many commands others published to the replica before the worker found it in its master's place. */
async function afterFailover(published: number, check: (over: TakenOver) => Promise<void>): Promise<void> {
  await using master = await startRedis();
  await using replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
  await using proxy = await startCuttingProxy(master.port);
  const outside = rawClient(replica.port);
  const prefix = uniquePrefix();
  const waiting = () => outside.llen(`${bullmqKeys(prefix).shard(0)}wait`);
  const open = (port: number) => openBullmqAt(serverAt(port), prefix, { shards: 1, answerTimeoutMs: 2_000 });
  await using before = await open(master.port);
  await using worker = await open(proxy.port);
  await using consumer = await worker.consume(startingAt());
  await before.publish([someCommand(ada, 1)]);
  await expect.poll(waiting, { timeout: 60_000 }).toBe(1);
  await outside.replicaof('NO', 'ONE');
  await before.publish([someCommand(ada, 2)]);
  const taken = await takeCount(consumer, 2);
  await using after = await open(replica.port);
  for (let sequence = 1; sequence <= published; sequence += 1) await after.publish([someCommand(bob, sequence)]);
  proxy.leadTo(replica.port);
  await check({ consumer, taken, waiting });
  outside.disconnect();
}

test.each([0, 1, 3])(
  'a Redis that takes over without what a worker has taken is noticed, though %i commands were published there since',
  (published) =>
    afterFailover(published, async ({ consumer }) => {
      await assertRejects('SOURCE_LOST_HISTORY', consumer.take(anyLimits));
    }),
);

test('what was published there since stays, though the worker has stored as much', () =>
  afterFailover(3, async ({ consumer, taken, waiting }) => {
    await consumer.acknowledge(positionsAfter(taken));
    await assertRejects('SOURCE_LOST_HISTORY', consumer.take(anyLimits));
    await consumer.close();
    expect(await waiting()).toBe(4);
  }));
