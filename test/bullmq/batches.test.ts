import { setImmediate as turn } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  assertDelivered,
  commandWithData,
  consumeAll,
  someCommand,
  someCommands,
  someSessions,
} from '../../src/conformance/queue-samples.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import { partitionOf } from '../../src/domain/partition.ts';
import { eventBytes, type JobData } from '../../src/queues/bullmq/job-events.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { pipelineOf } from '../support/pipelines.ts';
import { uniquePrefix } from '../support/redis.ts';
import { rawClient } from '../support/redis-contents.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const shards = 3;
let prefix = '';
let connection: ReturnType<typeof rawClient>;
beforeEach(() => {
  prefix = uniquePrefix();
  connection = rawClient(redis.server.port);
});
afterEach(() => connection.disconnect());

/** The jobs that wait in each shard, oldest first. */
async function jobsOf(): Promise<readonly (readonly JobData[])[]> {
  const reading = Array.from({ length: shards }, async (_, shard) => {
    const queue = new Queue<JobData>(`commands-${shard}`, { connection, prefix: `{${prefix}}` });
    const jobs = await queue.getJobs('waiting', 0, -1, true);
    await queue.close();
    return jobs.map(({ data }) => data);
  });
  return await Promise.all(reading);
}

test('what is published while others linger shares their jobs: one for each shard', async () => {
  await using queue = await openBullmqAt(serverAt(redis.server.port), prefix, { lingerMs: 1_000 });
  const publishes: Promise<unknown>[] = [];
  for (const session of someSessions) {
    publishes.push(queue.publish([someCommand(session, 1)]));
    await turn();
  }
  await Promise.all(publishes);
  const counts = (await jobsOf()).map((jobs) => jobs.map(({ events }) => events.length));
  const sessionsOf = (shard: number) => someSessions.filter((session) => partitionOf(session, shards) === shard);
  expect(counts).toEqual(counts.map((_, shard) => [sessionsOf(shard).length]));
  assertDelivered(await consumeAll(queue), someCommands(someSessions, 1, 1));
});

test('a job holds as many bytes as it may, in order, and a larger command has one of its own', async () => {
  const ada = parseSessionId('ada');
  const batchBytes = 5_000;
  await using queue = await openBullmqAt(serverAt(redis.server.port), prefix, { batchBytes });
  const sizes = [1_000, 1_000, 1_000, 1_000, 6_000, 1_000, 4_900, 100, 1_000, 1_000];
  const commands = sizes.map((size, at) => commandWithData(ada, at + 1, Buffer.alloc(size, 'x')));
  await queue.publish(commands);
  const jobs = (await jobsOf())[partitionOf(ada, shards)] ?? [];
  const bytesOf = ({ events }: JobData) => events.reduce((sum, event) => sum + eventBytes(event), 0);
  expect(jobs.length).toBeGreaterThan(3);
  for (const [index, job] of jobs.entries()) {
    const following = jobs[index + 1]?.events[0];
    expect(job.events.length === 1 || bytesOf(job) <= batchBytes).toBe(true);
    // Nothing waits for a job that had still room for it.
    if (following !== undefined) expect(bytesOf(job) + eventBytes(following)).toBeGreaterThan(batchBytes);
  }
  assertDelivered(await consumeAll(queue), commands);
});

test('jobs that wait are committed together', async () => {
  await using queue = await openBullmqAt(serverAt(redis.server.port), prefix);
  for (let sequence = 1; sequence <= 20; sequence += 1) {
    await queue.publish(someCommands(someSessions, sequence, sequence));
  }
  const jobs = (await jobsOf()).reduce((sum, of) => sum + of.length, 0);
  expect(jobs).toBe(20 * shards);
  const limits = { deliveries: 1_000, bytes: 1_000_000 };
  const pipeline = pipelineOf(queue, createMemoryStore(), { limits, cachedSessions: 1_000 });
  const { commits, deliveries } = await pipeline.runUntilCaughtUp();
  expect(deliveries).toBe(20 * someSessions.length);
  // All of a shard is read at once, so that no commit has less than that.
  expect(commits).toBeLessThanOrEqual(shards);
});
