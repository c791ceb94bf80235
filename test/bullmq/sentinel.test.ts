import { expect, test } from 'vitest';
import { assertRejects, someCommands, someSessions } from '../../src/conformance/queue-samples.ts';
import { deadLetterCount } from '../../src/domain/rule/tally.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { BullmqProgram } from '../support/bullmq-program.ts';
import { uniquePrefix } from '../support/redis.ts';
import { startSentinels } from '../support/redis-sentinels.ts';
import { batchesOf, LastingPublisher, LastingWorker } from '../support/shard-changes.ts';

test('while Sentinels make a replica the master, live publishers and workers go on, and nothing is lost that it had', async () => {
  await using redis = await startSentinels();
  const prefix = uniquePrefix();
  const open = () => openBullmqAt(redis.address, prefix, { leaseMs: 2_000, answerTimeoutMs: 2_000 });
  const worker = new LastingWorker(open, createMemoryStore());
  const publisher = new LastingPublisher(open, someSessions);
  const isPublished = (more: number) => {
    const before = publisher.published;
    return expect.poll(() => publisher.published).toBeGreaterThan(before + more);
  };
  await isPublished(20);
  await redis.killMasterInStep();
  await isPublished(20);
  await publisher.stop();
  const total = someSessions.length * publisher.published;
  await expect.poll(() => worker.tally.applied).toBe(total);
  await worker.stop();
  expect([worker.tally.parked, deadLetterCount(worker.tally)]).toEqual([0, 0]);
});

test('what a replica did not have when it became the master is missed at once by a worker that has consumed it', async () => {
  await using redis = await startSentinels();
  const prefix = uniquePrefix();
  await using queue = await openBullmqAt(redis.address, prefix, { answerTimeoutMs: 2_000 });
  await queue.publish(someCommands(someSessions, 1, 1));
  const store = createMemoryStore();
  await using pipeline = batchesOf(queue, store);
  const work = pipeline.run();
  work.catch(() => undefined);
  await expect.poll(() => pipeline.summary.tally.applied).toBe(someSessions.length);
  await redis.cutReplicaOff();
  await queue.publish(someCommands(someSessions, 2, 2));
  await expect.poll(() => pipeline.summary.tally.applied).toBe(2 * someSessions.length);
  await redis.master.kill();
  redis.replica.resume();
  await assertRejects('SOURCE_LOST_HISTORY', work);
});

test('the program finds the master through a Sentinel, and says so where none answers', async () => {
  await using redis = await startSentinels();
  const [sentinel] = redis.address.sentinels;
  await using program = new BullmqProgram(`redis://127.0.0.1:${sentinel?.port}`, {
    MACP_PERSIST_BULLMQ_SENTINEL_MASTER: redis.address.master,
    MACP_PERSIST_REDIS_SENTINEL_MASTER: redis.address.master,
  });
  const event = { specversion: '1.0', id: 'a/1/1', source: '//me', type: 'macp.session.create.v1', subject: 'a' };
  const input = `${JSON.stringify({ ...event, macpsequence: 1, macpepoch: 1 })}\n`;
  expect(await program.run(['publish', '-'], { input })).toMatchObject({ code: 0 });
  const [worked] = await program.json(['worker', '--exit-when-caught-up', '--store', program.redis]);
  expect(worked).toMatchObject({ tally: { applied: 1 } });
  const { stdout } = await program.run(['doctor']);
  expect(stdout).toMatch(/a replica that takes over may lack what was acknowledged last/);
  const wrong = await program.run(['publish', '--bullmq-sentinel-master', 'other', '-'], { input });
  expect(wrong).toMatchObject({ code: 6, stderr: expect.stringContaining('Redis other of the Sentinels at') });
});
