import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  assertDelivered,
  assertDense,
  commandWithData,
  consumeAll,
  positionsAfter,
  someCommand,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Queue } from '../../src/ports/queue.ts';
import { JobWriter } from '../../src/queues/bullmq/job-writer.ts';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import { RedisConnection } from '../../src/redis/connection.ts';
import { queueUse } from '../../src/redis/failures.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { startRedis, uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const ada = parseSessionId('ada');

test('publishes whose answers are lost, or whose connections are cut anywhere, are there once and in order', async () => {
  await using proxy = await startCuttingProxy(redis.server.port);
  const prefix = uniquePrefix();
  await using queue = await openBullmqAt(serverAt(proxy.port), prefix);
  await queue.publish(someCommands(someSessions, 1, 1));
  const positions = [];
  for (let sequence = 2; sequence <= 40; sequence += 1) {
    if (sequence % 2 === 0) proxy.swallowAnswer();
    else proxy.cutAfter((sequence * 2_654_435) % 20_000);
    positions.push(...(await queue.publish(someCommands(someSessions, sequence, sequence))));
  }
  expect(proxy.cuts).toBeGreaterThan(20);
  expect(new Set(positions.map(({ partition, offset }) => `${partition}/${offset}`)).size).toBe(
    39 * someSessions.length,
  );
  await using reader = await openBullmqAt(serverAt(redis.server.port), prefix);
  expect(reader.source).toBe(queue.source);
  const deliveries = await consumeAll(reader);
  assertDelivered(deliveries, someCommands(someSessions, 1, 40));
  assertDense(deliveries.map(({ position }) => position));
});

test('a group that comes once more after it was stored, or after its successor, is taken back', async () => {
  const prefix = uniquePrefix();
  await using queue = await openBullmqAt(serverAt(redis.server.port), prefix);
  const publisher = randomUUID();
  const first = await writerOf(prefix, publisher);
  const event = { event: { type: 'x' }, length: 10 };
  const record = { partition: 0, body: event };
  expect(await first.writer.write([record, record])).toEqual([
    { partition: 0, offset: 0 },
    { partition: 0, offset: 1 },
  ]);
  await using consumer = await queue.consume(startingAt());
  const taken = await consumer.take({ deliveries: 10, bytes: 1e6 });
  await consumer.acknowledge(positionsAfter(taken));
  await expect.poll(async () => (await queue.bounds()).get(0)).toEqual({ start: 2, end: 2 });
  // The same publisher from its beginning: as if its first group had been sent again.
  const again = await writerOf(prefix, publisher);
  expect(await again.writer.write([record, record])).toEqual([
    { partition: 0, offset: 0 },
    { partition: 0, offset: 1 },
  ]);
  expect((await queue.bounds()).get(0)).toEqual({ start: 2, end: 2 });
  await again.writer.write([record]);
  const late = await writerOf(prefix, publisher);
  await expect(late.writer.write([record])).rejects.toMatchObject({ code: 'UNEXPECTED' });
  expect((await queue.bounds()).get(0)).toEqual({ start: 2, end: 3 });
  expect(await redis.client.llen(`{${prefix}}:commands-0:wait`)).toBe(1);
  for (const { close } of [first, again, late]) await close();
});

async function writerOf(prefix: string, publisher: string) {
  const address = serverAt(redis.server.port);
  const connection = await RedisConnection.open({ address, use: queueUse, answerTimeoutMs: 5_000 });
  const writer = await JobWriter.open({
    connection,
    keys: bullmqKeys(prefix),
    id: (await redis.client.hget(bullmqKeys(prefix).guard, 'id')) ?? '',
    shards: 3,
    publisher,
    clock: systemClock,
    batchBytes: 1_000,
    onBacklog: () => undefined,
    mayWrite: async () => undefined,
    closing: new AbortController().signal,
  });
  const close = async (): Promise<void> => {
    await writer.close();
    connection.close();
  };
  return { writer, close };
}

test('a Redis that has reached its maxmemory takes nothing of what it refuses, and more once something was stored', async () => {
  await using own = await startRedis({ maxmemory: '6mb' });
  await using queue = await openBullmqAt(serverAt(own.port), uniquePrefix());
  const accepted = [];
  let refused = 0;
  for (let sequence = 1; refused < 3; sequence += 1) {
    const command = commandWithData(ada, sequence, Buffer.alloc(100_000, 'x'));
    try {
      await queue.publish([command, someCommand(someSessions[sequence % 40] ?? ada, sequence)]);
      accepted.push(command, someCommand(someSessions[sequence % 40] ?? ada, sequence));
    } catch (error) {
      expect(isPersistenceError(error, 'QUEUE_FULL')).toBe(true);
      refused += 1;
    }
  }
  expect(accepted.length).toBeGreaterThan(10);
  await using consumer = await queue.consume(startingAt());
  const taken = await takeCount(consumer, accepted.length);
  assertDelivered(taken, accepted);
  assertDense(taken.map(({ position }) => position));
  await consumer.acknowledge(positionsAfter(taken));
  await queue.whenWritable();
  await queue.publish([someCommand(ada, 1_000)]);
  assertDelivered(await takeCount(consumer, 1), [someCommand(ada, 1_000)]);
});

test('a Redis that is full by the time at which a group comes again has not refused what it took the first time', async () => {
  await using own = await startRedis();
  await using proxy = await startCuttingProxy(own.port);
  const prefix = uniquePrefix();
  await using queue = await openBullmqAt(serverAt(proxy.port), prefix);
  await using reader = await openBullmqAt(serverAt(own.port), prefix);
  const client = rawClient(own.port);
  try {
    await queue.publish([someCommand(ada, 1)]);
    proxy.dieAt(0, () => undefined);
    const published = queue.publish([someCommand(ada, 2)]).catch((error: unknown) => error);
    while ((await endsOf(reader)) < 2) await systemClock.sleep(5);
    await client.config('SET', 'maxmemory', '1');
    proxy.dieAt(Number.POSITIVE_INFINITY, () => undefined);
    while (!(await client.info('errorstats')).includes('errorstat_OOM')) await systemClock.sleep(5);
    await client.config('SET', 'maxmemory', '0');
    expect(await published).toHaveLength(1);
  } finally {
    client.disconnect();
  }
  assertDelivered(await consumeAll(reader), [someCommand(ada, 1), someCommand(ada, 2)]);
});

async function endsOf(queue: Queue): Promise<number> {
  return [...(await queue.bounds()).values()].reduce((sum, { end }) => sum + end, 0);
}

test('scripts that Redis has forgotten are sent again, and what was published meanwhile is there once', async () => {
  await using queue = await openBullmqAt(serverAt(redis.server.port), uniquePrefix());
  for (let sequence = 1; sequence <= 5; sequence += 1) {
    await queue.publish(someCommands(someSessions, sequence, sequence));
    await redis.client.script('FLUSH');
  }
  const deliveries = await consumeAll(queue);
  assertDelivered(deliveries, someCommands(someSessions, 1, 5));
  assertDense(deliveries.map(({ position }) => position));
});

test('while Redis is away, publishing and consuming wait for it, and go on by themselves', async () => {
  await using own = await startRedis();
  await using queue = await openBullmqAt(serverAt(own.port), uniquePrefix(), { leaseMs: 1_000 });
  await using consumer = await queue.consume(startingAt());
  const published = [someCommand(ada, 1)];
  await queue.publish(published);
  assertDelivered(await takeCount(consumer, 1), published);
  for (let sequence = 2; sequence <= 4; sequence += 1) {
    const publishing = queue.publish([someCommand(ada, sequence)]);
    await own.kill();
    const during = queue.publish([someCommand(ada, 10 + sequence)]);
    await own.restart();
    await Promise.all([publishing, during]);
    assertDelivered(await takeCount(consumer, 2), [someCommand(ada, sequence), someCommand(ada, 10 + sequence)]);
  }
});
