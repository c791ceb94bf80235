import { randomUUID } from 'node:crypto';
import { ClassicLevel } from 'classic-level';
import type { Consumer } from 'kafkajs';
import { type BareRequest, type Consumed, consumed, persisted, written } from '../support/consumed.ts';
import { bareKafka, kafkaUrl } from '../support/kafka-topic.ts';
import { replayed } from '../support/replayed.ts';

/** What to do with a topic that holds a backlog, in a process of its own, so that each has its own memory and garbage. */
export interface ConsumeRequest extends BareRequest {
  readonly how: 'worker' | 'replay' | 'nothing' | 'ordinary' | 'bare store';
  readonly address: string;
  readonly topic: string;
}

/** Milliseconds for which the ordinary loop runs: it would take an hour for what the others do in seconds. */
const ordinaryTime = 5_000;

const request = JSON.parse(process.argv[2] ?? '') as ConsumeRequest;
const ways: Readonly<Record<ConsumeRequest['how'], () => Promise<Consumed>>> = {
  worker: persist,
  replay: rebuildFromTopic,
  nothing: doNothing,
  ordinary: storeOneByOne,
  'bare store': () => written(request),
};
console.log(JSON.stringify(await ways[request.how]()));

function persist(): Promise<Consumed> {
  const { address, topic, directory } = request;
  return persisted({ queue: kafkaUrl(address, topic), store: `level:${directory}`, 'kafka-group': randomUUID() });
}

/** Without the group, and without the digest of the whole store in the end. */
async function rebuildFromTopic(): Promise<Consumed> {
  const { address, topic, directory } = request;
  return replayed(kafkaUrl(address, topic), directory);
}

/** What kafkajs does at its best: whole batches, and nothing done with them. */
function doNothing(): Promise<Consumed> {
  return consume(async (consumer, done) => {
    let start: number | undefined;
    let seen = 0;
    await consumer.run({
      async eachBatch({ batch }) {
        start ??= performance.now();
        seen += batch.messages.length;
        if (seen === request.commands) done(consumed(seen, start));
      },
    });
  });
}

/** What is written first: every message parsed and put, synced. */
async function storeOneByOne(): Promise<Consumed> {
  await using db = new ClassicLevel<string, Buffer>(request.directory, { valueEncoding: 'buffer' });
  await db.open();
  return await consume(async (consumer, done) => {
    let start: number | undefined;
    let stored = 0;
    await consumer.run({
      async eachMessage({ partition, message: { key, offset, value } }) {
        start ??= performance.now();
        const text = value ?? Buffer.alloc(0);
        const { message_id: id } = JSON.parse(text.toString());
        await db.put(`${key}/${partition}/${offset}/${id}`, text, { sync: true });
        stored += 1;
        if (performance.now() - start > ordinaryTime) done(consumed(stored, start));
      },
    });
  });
}

async function consume(
  run: (consumer: Consumer, done: (consumed: Consumed) => void) => Promise<void>,
): Promise<Consumed> {
  const consumer = bareKafka(request.address).consumer({ groupId: randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topics: [request.topic], fromBeginning: true });
  const result = await new Promise<Consumed>((resolve, reject) => {
    run(consumer, resolve).catch(reject);
  });
  await consumer.disconnect();
  return result;
}
