import { describe, expect, test, vi } from 'vitest';
import type { SourceId } from '../../src/domain/plan.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { checkTopic } from '../../src/queues/kafka/topics/check-topic.ts';
import { guardTopicOf } from '../../src/queues/kafka/topics/guard.ts';
import { readGuard, writeGuard } from '../../src/queues/kafka/topics/guard-record.ts';
import { type InitOptions, initTopic } from '../../src/queues/kafka/topics/init-topic.ts';
import { TopicAdministration } from '../../src/queues/kafka/topics/topic-administration.ts';
import { asAdmin, createTopic, deleteTopics, kafkaAddress, uniqueName } from '../support/kafka.ts';
import { connectionTo, queueOptions } from './kafka-queue-harness.ts';

const day = 24 * 60 * 60 * 1_000;

function initOptions(topic: string, more: Partial<InitOptions> = {}): InitOptions {
  return {
    connection: connectionTo(kafkaAddress()),
    clock: systemClock,
    onLog: () => undefined,
    topic,
    partitions: 4,
    retentionMs: day,
    batchBytes: 1024 * 1024,
    ...more,
  };
}

async function problemsOf(topic: string): Promise<readonly string[]> {
  const { findings } = await checkTopic({ ...initOptions(topic), minimumRetentionMs: day });
  return findings.filter(({ severity }) => severity === 'problem').map(({ what }) => what);
}

function open(topic: string) {
  return openKafkaQueue(queueOptions(kafkaAddress(), topic));
}

describe('init', () => {
  test('makes all that is missing once, and a queue opens on it', async () => {
    const topic = uniqueName();
    const deadLetterTopic = `${topic}.dead-letters`;
    await expect(open(topic)).rejects.toMatchObject({ code: 'QUEUE_UNSAFE', message: expect.stringMatching(/init/) });
    const first = await initTopic(initOptions(topic, { deadLetterTopic }));
    expect(first.did).toHaveLength(4);
    const second = await initTopic(initOptions(topic, { deadLetterTopic }));
    expect(second).toEqual({ did: [], findings: first.findings });
    expect(second.findings.map(({ what }) => what)).toEqual([expect.stringMatching(/one replica/)]);
    await using queue = await open(topic);
    expect(queue.partitions).toBe(4);
    expect(queue.continues).toBeUndefined();
  });

  test('several at once make one and the same', async () => {
    const topic = uniqueName();
    await Promise.all(Array.from({ length: 3 }, () => initTopic(initOptions(topic))));
    expect(await problemsOf(topic)).toEqual([]);
    await (await open(topic)).close();
  });

  test('writes no note anew that only a broker which has just started does not know of', async () => {
    const topic = uniqueName();
    const continues = { source: 'kafka:another' as SourceId, from: new Map([[0, 1]]), to: new Map([[0, 2]]) };
    await initTopic(initOptions(topic));
    await using administration = await TopicAdministration.open(initOptions(topic));
    const noted = await readGuard(administration, systemClock, topic);
    if (noted?.guard === undefined) throw new Error('no guard');
    await writeGuard(administration, systemClock, noted.facts, { ...noted.guard, continues });
    // The first look: neither the topic nor its guard.
    const knowing = vi.spyOn(TopicAdministration.prototype, 'describe');
    knowing.mockResolvedValueOnce(undefined).mockResolvedValueOnce(undefined);
    await initTopic(initOptions(topic));
    knowing.mockRestore();
    expect((await readGuard(administration, systemClock, topic))?.guard).toMatchObject({ continues });
  });

  test('sets up a topic that is sound, and leaves what it holds and how it is set', async () => {
    const topic = await createTopic(kafkaAddress(), {
      numPartitions: 4,
      settings: { 'cleanup.policy': 'delete', 'retention.ms': `${2 * day}`, 'max.message.bytes': '20000000' },
    });
    expect(await problemsOf(topic)).toEqual([expect.stringMatching(/by accident/)]);
    await expect(open(topic)).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
    await initTopic(initOptions(topic));
    await using queue = await open(topic);
    const { topic: found } = await checkTopic({ ...initOptions(topic), minimumRetentionMs: day });
    expect(found?.settings.get('retention.ms')).toBe(`${2 * day}`);
    expect(queue.source).toBe(`kafka:${found?.id}`);
  });

  test('refuses a topic that would lose commands, naming all that is wrong, and mends it only where it is asked to', async () => {
    const topic = await createTopic(kafkaAddress(), {
      numPartitions: 4,
      settings: { 'cleanup.policy': 'compact', 'retention.ms': '1000', 'max.message.bytes': '1000000' },
    });
    const refused = initTopic(initOptions(topic));
    await expect(refused).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
    await expect(refused).rejects.toThrow(/cleanup\.policy=delete,retention\.ms=86400000,max\.message\.bytes=17825792/);
    expect(await problemsOf(topic)).toHaveLength(4);
    const { did } = await initTopic(initOptions(topic, { repair: true }));
    expect(did).toHaveLength(5);
    expect(await problemsOf(topic)).toEqual([]);
    await (await open(topic)).close();
  });

  test('refuses another count of partitions than there is', async () => {
    const topic = uniqueName();
    await initTopic(initOptions(topic));
    const other = initTopic(initOptions(topic, { partitions: 5, repair: true }));
    await expect(other).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
  });
});

describe('a queue does not open on a topic', () => {
  test('that was given more partitions', async () => {
    const topic = uniqueName();
    await initTopic(initOptions(topic));
    const more = [{ topic, count: 6 }];
    await asAdmin(kafkaAddress(), (admin) => admin.createPartitions({ topicPartitions: more }));
    await expect.poll(() => problemsOf(topic)).toEqual([expect.stringMatching(/4 partitions and has 6/)]);
    await expect(open(topic)).rejects.toMatchObject({
      code: 'QUEUE_UNSAFE',
      message: expect.stringMatching(/repartition/),
    });
    await expect(initTopic(initOptions(topic))).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
  });

  test('that was deleted and made anew, until its guard is deleted as well', async () => {
    const topic = uniqueName();
    await initTopic(initOptions(topic));
    await deleteTopics(kafkaAddress(), [topic]);
    await expect.poll(() => problemsOf(topic)).toEqual([expect.stringMatching(/missing/)]);
    await expect(initTopic(initOptions(topic))).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
    await createTopic(kafkaAddress(), { topic, numPartitions: 4, settings: { 'max.message.bytes': '17825792' } });
    await expect(open(topic)).rejects.toMatchObject({
      code: 'QUEUE_UNSAFE',
      message: expect.stringMatching(/made anew/),
    });
    await expect(initTopic(initOptions(topic, { repair: true }))).rejects.toMatchObject({ code: 'QUEUE_UNSAFE' });
    await deleteTopics(kafkaAddress(), [guardTopicOf(topic)]);
    await initTopic(initOptions(topic));
    await (await open(topic)).close();
  });

  test('whose settings were changed so that it loses commands', async () => {
    const topic = uniqueName();
    await initTopic(initOptions(topic));
    const longer = { ...queueOptions(kafkaAddress(), topic), minimumRetentionMs: 2 * day };
    await expect(openKafkaQueue(longer)).rejects.toMatchObject({
      code: 'QUEUE_UNSAFE',
      message: expect.stringMatching(/retention\.ms=172800000/),
    });
  });
});
