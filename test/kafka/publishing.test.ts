import * as zlib from 'node:zlib';
import { expect, test } from 'vitest';
import {
  assertDelivered,
  commandWithData,
  consumeAll,
  someCommand,
  someCommands,
  someSessions,
} from '../../src/conformance/queue-samples.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import { encodeMessage, type Message } from '../../src/domain/message.ts';
import type { DeadLetter, FiledId } from '../../src/domain/plan.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { initTopic } from '../../src/queues/kafka/topics/init-topic.ts';
import { asAdmin, createTopic, deleteTopics, kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import { initialisedTopic, queueOptions } from './kafka-queue-harness.ts';

const ada = parseSessionId('ada');

test('nothing is published to a topic that was deleted and made anew', async () => {
  const topic = await initialisedTopic(kafkaAddress());
  await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), topic));
  await queue.publish([someCommand(ada, 1)]);
  await deleteTopics(kafkaAddress(), [topic]);
  await expect.poll(() => asAdmin(kafkaAddress(), (admin) => admin.listTopics())).not.toContain(topic);
  await createTopic(kafkaAddress(), { topic, numPartitions: 3 });
  await expect(queue.publish([someCommand(ada, 2)])).rejects.toMatchObject({
    code: 'SOURCE_LOST_HISTORY',
    retryable: false,
  });
  // The leaders of a new topic may not know yet that they lead it.
  const ends = () =>
    asAdmin(kafkaAddress(), (admin) => admin.fetchTopicOffsets(topic)).then(
      (offsets) => offsets.map(({ high }) => high),
      ({ type }: { readonly type: string }) => type,
    );
  await expect.poll(ends).not.toBe('NOT_LEADER_FOR_PARTITION');
  expect(await ends()).toEqual(['0', '0', '0']);
});

test.each(['gzip', ...('zstdCompress' in zlib ? (['zstd'] as const) : [])] as const)(
  'commands compressed with %s come back as they were',
  async (compression) => {
    const topic = await initialisedTopic(kafkaAddress());
    await using queue = await openKafkaQueue({
      ...queueOptions(kafkaAddress(), topic),
      compression,
      batchBytes: 2_000,
    });
    const commands = someCommands(someSessions, 1, 10);
    await queue.publish(commands);
    assertDelivered(await consumeAll(queue), commands);
  },
);

test('what waits in memory is bounded: more is refused until there is room, and all that was accepted is there', async () => {
  const topic = await initialisedTopic(kafkaAddress());
  await using queue = await openKafkaQueue({ ...queueOptions(kafkaAddress(), topic), maximumWaitingBytes: 100_000 });
  const data = Buffer.alloc(10_000, 'x');
  const accepted: ReturnType<typeof commandWithData>[] = [];
  for (let sequence = 1; sequence <= 30; ) {
    const burst = Array.from({ length: 15 }, (_, index) => commandWithData(ada, sequence + index, data));
    const outcomes = await Promise.allSettled(burst.map((command) => queue.publish([command])));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'QUEUE_FULL', retryable: true } });
    accepted.push(...burst.filter((_, index) => outcomes[index]?.status === 'fulfilled'));
    sequence += burst.length;
    await queue.whenWritable();
  }
  // Larger than all room, but alone.
  const large = commandWithData(ada, 100, Buffer.alloc(1_000_000, 'y'));
  await queue.publish([large]);
  assertDelivered(await consumeAll(queue), [...accepted, large]);
});

test('a command that no batch of the topic can hold is refused by itself', async () => {
  const topic = await initialisedTopic(kafkaAddress());
  await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), topic));
  const monstrous = { ...someCommand(ada, 2), traceparent: 'x'.repeat(18 * 1024 * 1024) };
  const [first, second, third] = await Promise.allSettled([
    queue.publish([someCommand(ada, 1)]),
    queue.publish([monstrous]),
    queue.publish([someCommand(ada, 3)]),
  ]);
  expect([first?.status, third?.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(second?.status === 'rejected' && isPersistenceError(second.reason, 'DATA_TOO_LARGE')).toBe(true);
});

test('dead letters are copied with key, headers and value as they were, and what became of them', async () => {
  const [topic, deadLetterTopic] = [uniqueName(), uniqueName('dead-letters')];
  const options = { ...queueOptions(kafkaAddress(), topic), deadLetterTopic };
  await expect(openKafkaQueue(options)).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
  const retentionMs = options.minimumRetentionMs;
  await initTopic({ ...options, partitions: 3, retentionMs, batchBytes: 1024 * 1024 });
  await using queue = await openKafkaQueue(options);
  const letters = [
    letterOf({ key: undefined, headers: [], value: Buffer.alloc(0) }, {}),
    letterOf(
      {
        key: Buffer.from('ada'),
        headers: [
          ['b', Buffer.from('1')],
          ['a', Buffer.from([0xff])],
        ],
        value: Buffer.from('x'),
      },
      { session: ada, reason: 'fenced', refusal: undefined },
    ),
    // 40 MiB, which only fit because they came compressed, and do so again.
    letterOf({ key: Buffer.from('ada'), headers: [], value: Buffer.alloc(40 * 1024 * 1024, 'z') }, { session: ada }),
  ];
  await queue.deadLetterCopies?.copy(letters);
  const copies = await valuesOf(deadLetterTopic, letters.length);
  for (const letter of letters) {
    const copy = copies.get(letter.id);
    expect(copy?.headers['macp-dead-letter-reason']).toBe(letter.reason);
    expect(copy?.headers['macp-dead-letter-code']).toBe(letter.refusal?.code);
    expect(copy?.headers['macp-dead-letter-detail']).toBe('what was wrong');
    expect(copy?.headers['macp-dead-letter-position']).toBe(`${topic}-2@17`);
  }
  const [empty, small, large] = letters.map(({ id }) => copies.get(id));
  expect([empty?.key, empty?.value.length]).toEqual([null, 0]);
  expect([small?.key?.toString(), small?.value.toString(), small?.headers['b']]).toEqual(['ada', 'x', '1']);
  expect(large?.value.length).toBe(40 * 1024 * 1024);
});

test('a topic of copies that was deleted is one that is missing: no command went with it', async () => {
  const [topic, deadLetterTopic] = [uniqueName(), uniqueName('dead-letters')];
  const options = { ...queueOptions(kafkaAddress(), topic), deadLetterTopic };
  const connection = { ...options.connection, requestTimeout: 1_000 };
  await initTopic({ ...options, partitions: 1, retentionMs: options.minimumRetentionMs, batchBytes: 1024 * 1024 });
  await using queue = await openKafkaQueue({ ...options, connection });
  const letter = letterOf({ key: undefined, headers: [], value: Buffer.alloc(0) }, {});
  await queue.deadLetterCopies?.copy([letter]);
  await deleteTopics(kafkaAddress(), [deadLetterTopic]);
  await expect.poll(() => asAdmin(kafkaAddress(), (admin) => admin.listTopics())).not.toContain(deadLetterTopic);
  await expect(queue.deadLetterCopies?.copy([letter])).rejects.toMatchObject({
    code: 'QUEUE_UNSAFE',
    message: expect.stringMatching(/is gone.*init/),
  });
});

function letterOf(message: Message, more: Partial<DeadLetter>): DeadLetter {
  return {
    kind: 'dead letter',
    id: uniqueName('letter') as FiledId,
    reason: 'refused',
    detail: 'what was wrong',
    refusal: { code: 'INVALID_EVENT', message: 'what was wrong' },
    session: undefined,
    epoch: undefined,
    writer: undefined,
    sequence: undefined,
    position: { partition: 2, offset: 17 },
    message: encodeMessage(message),
    ...more,
  };
}

interface Copy {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a plain consumer of kafkajs reads, by the id of the dead letter. */
async function valuesOf(topic: string, count: number): Promise<ReadonlyMap<string, Copy>> {
  const copies = new Map<string, Copy>();
  const consumer = kafkaClient().consumer({ groupId: uniqueName('group'), maxBytesPerPartition: 64 * 1024 * 1024 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({
      message,
    }: {
      message: { key: Buffer | null; value: Buffer | null; headers?: object };
    }) => {
      const headers = Object.fromEntries(
        Object.entries(message.headers ?? {}).map(([key, value]) => [key, String(value)]),
      );
      copies.set(headers['macp-dead-letter-id'] ?? '', {
        key: message.key,
        value: message.value ?? Buffer.alloc(0),
        headers,
      });
      if (copies.size === count) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return copies;
}
