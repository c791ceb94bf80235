import { expect, test, vi } from 'vitest';
import {
  anyLimits,
  assertDelivered,
  consumeAll,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
} from '../../src/conformance/queue-samples.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { checkTopic } from '../../src/queues/kafka/topics/check-topic.ts';
import { guardTopicOf } from '../../src/queues/kafka/topics/guard.ts';
import { repartition } from '../../src/queues/kafka/topics/repartition.ts';
import { TopicAdministration } from '../../src/queues/kafka/topics/topic-administration.ts';
import { deleteTopics, kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import { connectionTo, initialisedTopic, queueOptions } from './kafka-queue-harness.ts';

const connecting = { connection: connectionTo(kafkaAddress()), clock: systemClock, onLog: () => undefined };
const late = someCommands(someSessions.slice(0, 1), 3, 3);

function move(from: string, to: string) {
  return repartition({ ...connecting, from, to, partitions: 7, retentionMs: 86_400_000, batchBytes: 1024 * 1024 });
}

async function twoTopics(): Promise<readonly [from: string, to: string]> {
  return [await initialisedTopic(kafkaAddress(), 2), uniqueName()];
}

test('who has a topic open that everything was moved from publishes nothing into it, ends, and is told where to go', async () => {
  const [from, to] = await twoTopics();
  const settings = { ...queueOptions(kafkaAddress(), from), inquiryIntervalMs: 100 };
  await using idempotent = await openKafkaQueue(settings);
  await using transactional = await idempotent.fencedPublisher('writer');
  await idempotent.publish(someCommands(someSessions, 1, 1));
  await transactional.publish(someCommands(someSessions, 2, 2));
  await using consumer = await idempotent.consume(startingAt());
  await takeCount(consumer, 2 * someSessions.length);
  await move(from, to);
  const moved = { code: 'QUEUE_MOVED', message: expect.stringContaining(`topic ${to} now`) };
  await expect(idempotent.publish(late)).rejects.toMatchObject(moved);
  await expect(transactional.publish(late)).rejects.toMatchObject(moved);
  // What a transaction that was given up leaves behind is no command.
  const taking = async (): Promise<void> => {
    for (;;) for (const { isPassed } of await consumer.take(anyLimits)) expect(isPassed).toBe(true);
  };
  await expect(taking()).rejects.toMatchObject(moved);
  await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), to));
  assertDelivered(await consumeAll(queue), someCommands(someSessions, 1, 2));
  // What closes it is no mistake that anybody is to mend.
  const { findings } = await checkTopic({ ...settings, batchBytes: 1024 * 1024 });
  expect(findings.map(({ what }) => what)).toEqual([expect.stringContaining(`go to topic ${to} now`)]);
});

test('brokers refuse what a client of another kind publishes to it', async () => {
  const [from, to] = await twoTopics();
  const producer = kafkaClient().producer();
  await producer.connect();
  const send = () => producer.send({ topic: from, messages: [{ key: 'a', value: 'a'.repeat(60) }] });
  await send();
  await move(from, to);
  await expect(send()).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
  await producer.disconnect();
});

test('a topic that is filled already is not filled once more where a broker has just started and does not know it', async () => {
  const [from, to] = await twoTopics();
  const old = await openKafkaQueue(queueOptions(kafkaAddress(), from));
  await old.publish(someCommands(someSessions, 1, 2));
  await old.close();
  await move(from, to);
  await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), to));
  const bounds = await queue.bounds();
  const { describe } = TopicAdministration.prototype;
  const unknown = new Set([to, guardTopicOf(to)]);
  const describing = vi.spyOn(TopicAdministration.prototype, 'describe');
  describing.mockImplementation(async function (this: TopicAdministration, name) {
    return unknown.delete(name) ? undefined : describe.call(this, name);
  });
  await expect(move(from, to)).rejects.toMatchObject({ code: 'QUEUE_UNSAFE', message: /there already/ });
  describing.mockRestore();
  expect(await queue.bounds()).toEqual(bounds);
  // Once it is known again, nothing is left to be done.
  expect((await move(from, to)).did).toEqual([]);
});

test('what is published to it nevertheless is told by every further call, until it is moved as well', async () => {
  const [from, to] = await twoTopics();
  await using old = await openKafkaQueue(queueOptions(kafkaAddress(), from));
  await old.publish(someCommands(someSessions, 1, 2));
  await move(from, to);
  await using administration = await TopicAdministration.open(connecting);
  await administration.alter([{ topic: from, setting: 'max.message.bytes', value: '17825792' }]);
  await expect.poll(() => old.publish(late).then(() => 'written', String)).toBe('written');
  for (let call = 0; call < 2; call += 1) {
    await expect(move(from, to)).rejects.toMatchObject({
      code: 'QUEUE_UNSAFE',
      message: expect.stringMatching(/partition \d went from offset .* delete topics .* and begin again/),
    });
  }
  await deleteTopics(kafkaAddress(), [to, guardTopicOf(to)]);
  await move(from, to);
  await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), to));
  assertDelivered(await consumeAll(queue), [...someCommands(someSessions, 1, 2), ...late]);
});
