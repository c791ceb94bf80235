import { expect, test } from 'vitest';
import { assertDelivered, consumeAll, someCommands, someSessions } from '../../src/conformance/queue-samples.ts';
import type { Message } from '../../src/domain/message.ts';
import { partitionOf } from '../../src/domain/partition.ts';
import type { SourceId } from '../../src/domain/plan.ts';
import { encodeBinary } from '../../src/domain/wire/binary.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Queue, QueuedDelivery } from '../../src/ports/queue.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { encodeRecordBody } from '../../src/queues/kafka/publishing/record-body.ts';
import { RecordWriter } from '../../src/queues/kafka/publishing/record-writer.ts';
import { readGuard, writeGuard } from '../../src/queues/kafka/topics/guard-record.ts';
import { readPartition } from '../../src/queues/kafka/topics/read-partition.ts';
import { type RepartitionOptions, repartition } from '../../src/queues/kafka/topics/repartition.ts';
import { settledBounds } from '../../src/queues/kafka/topics/settled-bounds.ts';
import { TopicAdministration } from '../../src/queues/kafka/topics/topic-administration.ts';
import { asAdmin, kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import { connectionTo, initialisedTopic, queueOptions } from './kafka-queue-harness.ts';
import { producerParts, roundsOf } from './producer-parts.ts';

const day = 24 * 60 * 60 * 1_000;

function options(from: string, to: string, more: Partial<RepartitionOptions> = {}): RepartitionOptions {
  return {
    connection: connectionTo(kafkaAddress()),
    clock: systemClock,
    onLog: () => undefined,
    from,
    to,
    partitions: 7,
    retentionMs: day,
    batchBytes: 1024 * 1024,
    ...more,
  };
}

function open(topic: string) {
  return openKafkaQueue(queueOptions(kafkaAddress(), topic));
}

/** Writes messages to partitions of a topic as any producer might. */
async function write(topic: string, records: readonly { partition: number; timestamp: number; message: Message }[]) {
  const connecting = { connection: connectionTo(kafkaAddress()), clock: systemClock, onLog: () => undefined };
  await using administration = await TopicAdministration.open(connecting);
  const facts = await administration.describe(topic);
  if (facts === undefined) throw new Error(`no topic ${topic}`);
  const brokers = administration.brokersOf(facts);
  const closing = new AbortController().signal;
  const writer = new RecordWriter({ brokers, clock: systemClock, closing, batchBytes: 10_000, codec: undefined });
  const placed = records.map(({ partition, timestamp, message }) => ({
    partition,
    record: { timestamp, body: encodeRecordBody(message) },
  }));
  await writer.write(placed);
  await brokers.close();
}

async function replayed(queue: Queue): Promise<QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of queue.replay({ limits: { deliveries: 1_000, bytes: 1e8 } })) deliveries.push(...batch);
  return deliveries;
}

/** All records of a topic as the bytes that they were sent as, with their times, in the order of those. */
async function storedIn(topic: string): Promise<readonly string[]> {
  const connecting = { connection: connectionTo(kafkaAddress()), clock: systemClock, onLog: () => undefined };
  await using administration = await TopicAdministration.open(connecting);
  const facts = await administration.describe(topic);
  if (facts === undefined) throw new Error(`no topic ${topic}`);
  const brokers = administration.brokersOf(facts);
  const stored: string[] = [];
  for (const [partition, { start, end }] of await settledBounds(brokers, systemClock)) {
    for await (const records of readPartition(brokers, systemClock, { partition, from: start, to: end })) {
      for (const read of records) {
        if (read.kind === 'record') stored.push(`${read.timestamp} ${read.body?.toString('hex')}`);
      }
    }
  }
  await brokers.close();
  return stored.sort();
}

/** A message as text, to compare. */
function shown({ key, headers, value }: Message): string {
  const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? 'none' : Buffer.from(bytes).toString('hex'));
  return JSON.stringify([text(key), headers.map(([name, content]) => [name, text(content)]), text(value)]);
}

test('everything goes to the new topic, each session in its order, and stores learn where it came from', async () => {
  const [from, to] = [await initialisedTopic(kafkaAddress(), 3), uniqueName()];
  const commands = someCommands(someSessions, 1, 20);
  const old = await open(from);
  await old.publish(commands);
  const bounds = await old.bounds();
  const { source } = old;
  await old.close();
  const progress: number[] = [];
  const { did } = await repartition(options(from, to, { onProgress: ({ copied }) => progress.push(copied) }));
  expect(did).toHaveLength(5);
  expect(progress.at(-1)).toBe(commands.length);
  await using queue = await open(to);
  expect(queue.partitions).toBe(7);
  expect(queue.continues?.source).toBe(source);
  expect(queue.continues?.from).toEqual(new Map([...bounds].map(([partition, { start }]) => [partition, start])));
  assertDelivered(await consumeAll(queue), commands);
  await expect(open(from)).rejects.toMatchObject({ code: 'QUEUE_MOVED', message: expect.stringContaining(to) });
  // Again it has nothing to do; and who comes later must not take the topic for another one's.
  expect((await repartition(options(from, to))).did).toEqual([]);
  await expect(repartition(options(from, uniqueName()))).rejects.toMatchObject({ code: 'QUEUE_MOVED' });
});

test('messages stay byte for byte, with their times, whatever is wrong with them', async () => {
  const from = await initialisedTopic(kafkaAddress(), 3);
  await asAdmin(kafkaAddress(), (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: from,
          configEntries: [
            { name: 'message.timestamp.type', value: 'CreateTime' },
            { name: 'max.message.bytes', value: '17825792' },
          ],
        },
      ],
    }),
  );
  const bytes = (text: string) => Buffer.from(text, 'utf8');
  const repeated: Message['headers'] = [
    ['b', bytes('1')],
    ['1', bytes('2')],
    ['b', bytes('')],
  ];
  const now = Date.now();
  const messages: Message[] = [
    { key: undefined, headers: [], value: bytes('no event') },
    { key: Buffer.from([0xff, 0xfe]), headers: repeated, value: bytes('no event either') },
    ...someCommands(someSessions, 1, 1).map(encodeBinary),
  ];
  const records = messages.map((message, index) => ({ partition: index % 3, timestamp: now - 1_000 + index, message }));
  await write(from, records);
  const producer = kafkaClient().producer();
  await producer.connect();
  await producer.send({ topic: from, messages: [{ key: null, value: null, headers: { none: '' }, partition: 1 }] });
  await producer.disconnect();
  const to = uniqueName();
  await repartition(options(from, to));
  expect(await storedIn(to)).toEqual(await storedIn(from));
  await using queue = await open(to);
  const copied = await replayed(queue);
  // What is refused for its place is so again, whatever the place is.
  const misplaced = records.flatMap(({ partition, message }) => {
    const session = message.key === undefined ? undefined : Buffer.from(message.key).toString('utf8');
    const found = someSessions.find((one) => one === session);
    return found !== undefined && partitionOf(found, 3) !== partition ? [shown(message)] : [];
  });
  const refused = copied.filter(({ content }) => content.kind === 'unreadable' && content.session !== undefined);
  expect(refused.map((delivery) => shown(delivery.message())).sort()).toEqual(misplaced.sort());
  expect(misplaced.length).toBeGreaterThan(0);
});

test('what transactions left behind is not copied, and one that is open is refused', async () => {
  const from = await initialisedTopic(kafkaAddress(), 2);
  const old = await open(from);
  const writer = await old.fencedPublisher('writer');
  await writer.publish(someCommands(someSessions, 1, 3));
  await writer.publish(someCommands(someSessions, 4, 4));
  await writer.settle();
  await old.close();
  await using parts = await producerParts(kafkaAddress(), from, `${from}-other`);
  const link = parts.link();
  const identity = await link.initialise(undefined);
  if ('asks' in identity) throw identity.error;
  await link.addPartitions(identity, [0]);
  const { Sequences, openBatches } = await import('../../src/queues/kafka/publishing/sequences.ts');
  const [round = []] = await roundsOf('given up');
  await new Sequences(link, true).send(openBatches(round), identity);
  const to = uniqueName();
  await expect(repartition(options(from, to))).rejects.toMatchObject({ message: expect.stringMatching(/transaction/) });
  await link.endTransaction(identity, 'abort');
  await expect
    .poll(() =>
      repartition(options(from, to)).then(
        () => 'done',
        () => 'refused',
      ),
    )
    .toBe('done');
  await using queue = await open(to);
  const deliveries = await replayed(queue);
  expect(deliveries.every(({ isPassed }) => isPassed !== true)).toBe(true);
  assertDelivered(deliveries, someCommands(someSessions, 1, 4));
});

test('what is published meanwhile is told, and nobody goes on with a topic that was not filled to the end', async () => {
  const [from, to] = [await initialisedTopic(kafkaAddress(), 2), uniqueName()];
  await using old = await open(from);
  await old.publish(someCommands(someSessions, 1, 2));
  const late = someCommands(someSessions.slice(0, 1), 3, 3);
  const meanwhile = options(from, to, { onProgress: () => old.publish(late) });
  await expect(repartition(meanwhile)).rejects.toMatchObject({
    code: 'QUEUE_UNSAFE',
    message: expect.stringMatching(/partition \d went from offset/),
  });
  await expect(open(to)).rejects.toMatchObject({
    code: 'QUEUE_UNSAFE',
    message: expect.stringMatching(/being filled/),
  });
  // The old one is still in use, and the next attempt begins anew.
  await (await open(from)).close();
  await repartition(options(from, to));
  await using queue = await open(to);
  assertDelivered(await consumeAll(queue), [...someCommands(someSessions, 1, 2), ...late]);
});

test('a topic that is there already is not filled', async () => {
  const [from, to] = [await initialisedTopic(kafkaAddress(), 2), await initialisedTopic(kafkaAddress(), 7)];
  await expect(repartition(options(from, to))).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
  await expect(repartition(options(uniqueName(), uniqueName()))).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
  await (await open(from)).close();
});

test('a topic that was given more partitions moves, and what producers put into them is right there', async () => {
  const from = await initialisedTopic(kafkaAddress(), 2);
  const before = someCommands(someSessions, 1, 2);
  const old = await open(from);
  await old.publish(before);
  await old.close();
  await asAdmin(kafkaAddress(), (admin) => admin.createPartitions({ topicPartitions: [{ topic: from, count: 5 }] }));
  const after = someCommands(someSessions, 3, 3);
  const placed = after.map((command) => ({
    partition: partitionOf(command.session, 5),
    timestamp: Date.now(),
    message: encodeBinary(command),
  }));
  await expect
    .poll(() =>
      write(from, placed).then(
        () => 'done',
        () => 'unknown',
      ),
    )
    .toBe('done');
  const to = uniqueName();
  await repartition(options(from, to));
  await using queue = await open(to);
  assertDelivered(await consumeAll(queue), [...before, ...after]);
  expect(queue.continues?.source satisfies SourceId | undefined).toBe(old.source);
});

test('whatever it was interrupted at, it ends as if it had not been', async () => {
  const [from, to] = [await initialisedTopic(kafkaAddress(), 2), uniqueName()];
  const commands = someCommands(someSessions, 1, 3);
  const old = await open(from);
  await old.publish(commands);
  await old.close();
  const killed = () => Promise.reject(new Error('killed'));
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(repartition(options(from, to, { onProgress: killed }))).rejects.toThrow('killed');
    await expect(open(to)).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
  }
  await repartition(options(from, to));
  // As it was before its last step: the new topic is finished, and the old one does not know.
  const connecting = { connection: connectionTo(kafkaAddress()), clock: systemClock, onLog: () => undefined };
  await using administration = await TopicAdministration.open(connecting);
  const guardTopic = await readGuard(administration, systemClock, from);
  if (guardTopic?.guard === undefined) throw new Error('no guard');
  await writeGuard(administration, systemClock, guardTopic.facts, { ...guardTopic.guard, movedTo: undefined });
  expect((await repartition(options(from, to))).did).toEqual([expect.stringMatching(/go to topic/)]);
  await expect(open(from)).rejects.toMatchObject({ code: 'QUEUE_MOVED' });
  await using queue = await open(to);
  assertDelivered(await consumeAll(queue), commands);
});
