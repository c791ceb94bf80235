import { expect, test } from 'vitest';
import { BullmqProgram } from '../support/bullmq-program.ts';
import { useOneRedis } from '../support/one-redis.ts';

const redis = useOneRedis();
const [done, usage, unavailable, interrupted] = [0, 2, 6, 130];

const event = (sequence: number): string => {
  const attributes = {
    specversion: '1.0',
    type: 'macp.receipt.store.v1',
    id: `one/1/${sequence}`,
    source: '//test/one',
  };
  return `${JSON.stringify({ ...attributes, subject: 'one', macpsequence: `${sequence}`, macpepoch: '1', data: { a: 1 } })}\n`;
};

test('repartition gives a queue other shards: its worker ends to be started again, and goes on without a word', async () => {
  await using program = new BullmqProgram(redis.server.address);
  const store = ['--store', program.redis];
  expect(await program.run(['publish', '-'], { input: event(1) })).toMatchObject({ code: done });
  const worker = program.start(['worker', ...store]);
  const change = await program.json(['repartition', '--bullmq-shards', '3']);
  expect(change).toEqual([{ from: 8, to: 3 }]);
  expect(await worker.ended).toMatchObject({ code: unavailable, stderr: expect.stringContaining('QUEUE_CHANGED') });
  const old = await program.run(['publish', '--bullmq-shards', '8', '-'], { input: event(2) });
  expect(old).toMatchObject({ code: usage, stderr: expect.stringContaining('has 3 shards, not 8') });
  expect(await program.run(['publish', '-'], { input: event(2) })).toMatchObject({ code: done });
  const [worked] = await program.json(['worker', '--exit-when-caught-up', ...store]);
  expect(worked).toMatchObject({ deliveries: 1, tally: { applied: 1, parked: 0 } });
});

test('a process that only serves ends like a worker when it is asked to publish, and is started again with the new number', async () => {
  await using program = new BullmqProgram(redis.server.address);
  const store = ['--store', program.redis];
  await program.json(['worker', '--exit-when-caught-up', ...store]);
  const serve = () => program.start(['serve', ...store]);
  const publish = async (url: string, sequence: number): Promise<Response> =>
    await fetch(`${url}/v1/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: event(sequence),
    });
  const serving = serve();
  const url = await serving.url();
  const reading = serve();
  const readUrl = await reading.url();
  expect((await publish(url, 1)).status).toBe(202);
  await program.json(['worker', '--exit-when-caught-up', ...store]);
  await program.json(['repartition', '--bullmq-shards', '3']);
  const refused = await publish(url, 2);
  expect([refused.status, await refused.json()]).toEqual([503, expect.objectContaining({ code: 'QUEUE_CHANGED' })]);
  expect(await serving.ended).toMatchObject({ code: unavailable, stderr: expect.stringContaining('QUEUE_CHANGED') });
  // Whoever asks nothing of the queue is not disturbed.
  expect((await fetch(`${readUrl}/v1/sessions`)).status).toBe(200);
  expect(await reading.stop()).toMatchObject({ code: done });
  const again = await serve().url();
  expect((await publish(again, 2)).status).toBe(202);
  const [worked] = await program.json(['worker', '--exit-when-caught-up', ...store]);
  expect(worked).toMatchObject({ deliveries: 1, tally: { applied: 1, parked: 0 } });
});

test('interrupted while nobody works, repartition changes nothing; said wrongly, it does not begin', async () => {
  await using program = new BullmqProgram(redis.server.address);
  expect(await program.run(['publish', '-'], { input: event(1) })).toMatchObject({ code: done });
  const change = program.start(['repartition', '--bullmq-shards', '3']);
  const shutOut = `{${program.prefix}}:commands:change`;
  await expect.poll(() => redis.client.exists(shutOut)).toBe(1);
  expect(await change.stop()).toMatchObject({ code: interrupted });
  expect(await redis.client.exists(shutOut)).toBe(0);
  const [same] = await program.json(['repartition', '--bullmq-shards', '8']);
  expect(same).toEqual({ from: 8, to: 8 });
  for (const words of [['repartition'], ['repartition', 'other', '--bullmq-shards', '3']]) {
    expect(await program.run(words)).toMatchObject({ code: usage, stderr: expect.stringContaining('--bullmq-shards') });
  }
});
