import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { AssignerProtocol, CompressionTypes, type Message, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { kafkaFailure, protocolFailure } from '../../src/queues/kafka/connection/failures.ts';
import { KafkaDelivery, recordDigestAt } from '../../src/queues/kafka/delivery.ts';
import { listOffsetsRequest, type OffsetPlace } from '../../src/queues/kafka/protocol/list-offsets.ts';
import { metadataRequest } from '../../src/queues/kafka/protocol/metadata.ts';
import type { ReadRecords } from '../../src/queues/kafka/protocol/read-records.ts';
import { batchAt } from '../../src/queues/kafka/protocol/record-batch.ts';
import { asAdmin, createTopic, deleteTopics, kafkaAddress, kafkaClient, uniqueName } from '../support/kafka.ts';
import { runPython } from '../support/python.ts';
import { codecs, placeIn } from '../support/record-batches.ts';
import { plainOptions, TopicReader } from '../support/topic-reader.ts';

const topics: string[] = [];
let producer: Producer;

beforeAll(async () => {
  producer = kafkaClient().producer({ idempotent: true });
  await producer.connect();
});
afterAll(async () => {
  await producer.disconnect();
  await deleteTopics(kafkaAddress(), topics);
});

async function newTopic(settings: Readonly<Record<string, string>> = {}): Promise<string> {
  const topic = await createTopic(kafkaAddress(), { settings });
  topics.push(topic);
  return topic;
}

const open = (topic: string): Promise<TopicReader> => TopicReader.open(plainOptions(kafkaAddress()), topic);

/** What was read: values as texts, and what is no record by its kind and offsets. */
function told(read: readonly ReadRecords[]): string[] {
  return read.map((each) =>
    each.kind === 'record'
      ? Buffer.from(each.value).toString('utf8')
      : `${each.kind} ${each.firstOffset}-${each.lastOffset}`,
  );
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `value ${index}`);
}

/** Producers leave a batch as it is when it would not become smaller. */
function codecsIn(records: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0, batch = batchAt(records, 0); batch !== undefined; batch = batchAt(records, at)) {
    found.push(batch.codec);
    at += batch.raw.length;
  }
  return found;
}

async function listed(reader: TopicReader, place: OffsetPlace): Promise<number | undefined> {
  const broker = await reader.cluster.findBroker(reader.leader.leader);
  const request = listOffsetsRequest(reader.topic.name, [reader.leader], place);
  const [found] = await reader.cluster.send(broker, request);
  return found?.offset;
}

describe('records of real producers are read as they were sent', () => {
  test('with keys, headers, times and nulls, from any offset, in order', async () => {
    const topic = await newTopic();
    const binary = randomBytes(300);
    // Of today: retention goes by the times of the records, whenever they were written.
    const now = Date.now();
    const messages: Message[] = [
      { key: 'a', value: 'one', timestamp: `${now}`, headers: { ce_id: 'a/1/1', ce_type: 't', empty: '' } },
      { key: null, value: null, timestamp: `${now + 5}` },
      { key: binary, value: binary, timestamp: `${now - 1000}`, headers: { twice: ['1', binary], ce_id: 'x' } },
    ];
    await producer.send({ topic, messages });
    await using reader = await open(topic);
    const { read, nextOffset } = await reader.readTo(3);
    const text = (value: string) => Buffer.from(value);
    expect(read).toEqual([
      {
        kind: 'record',
        offset: 0,
        timestamp: now,
        key: text('a'),
        value: text('one'),
        headers: [
          ['ce_id', text('a/1/1')],
          ['ce_type', text('t')],
          ['empty', text('')],
        ],
        bytes: expect.any(Number),
      },
      expect.objectContaining({
        offset: 1,
        timestamp: now + 5,
        key: undefined,
        value: text(''),
        headers: [],
      }),
      expect.objectContaining({
        offset: 2,
        timestamp: now - 1000,
        key: binary,
        value: binary,
        headers: [
          ['twice', text('1')],
          ['twice', binary],
          ['ce_id', text('x')],
        ],
      }),
    ]);
    expect(nextOffset).toBe(3);
    expect(told((await reader.readTo(3, 2)).read)).toEqual([binary.toString('utf8')]);
  });

  test("of Python's confluent-kafka, compressed by every codec", async () => {
    const program = `
import sys
from confluent_kafka import Producer
address, count = sys.argv[1], int(sys.argv[2])
for pair in sys.argv[3:]:
    codec, topic = pair.split('=')
    producer = Producer({'bootstrap.servers': address, 'compression.type': codec, 'linger.ms': 200})
    for index in range(count):
        producer.produce(topic, key='key', value=f'value {index}', headers=[('name', codec)])
    assert producer.flush(60) == 0
`;
    const named = Object.entries(codecs);
    const made = await Promise.all(named.map(async ([name, codec]) => ({ name, codec, topic: await newTopic() })));
    const pairs = made.map(({ name, topic }) => `${name}=${topic}`);
    await runPython(program, kafkaAddress(), '500', ...pairs);
    for (const { name, codec, topic } of made) {
      await using reader = await open(topic);
      const { read, records } = await reader.readTo(500);
      expect(told(read), name).toEqual(numbered(500));
      expect(codecsIn(records), name).toContain(codec);
    }
  });

  test("compressed by the codecs of Kafka's own Java code", async () => {
    for (const [name, codec] of Object.entries(codecs).slice(1)) {
      const topic = await newTopic({ 'compression.type': name });
      await producer.send({ topic, messages: numbered(2_000).map((value) => ({ value })) });
      await using reader = await open(topic);
      const { read, records } = await reader.readTo(2_000);
      expect(told(read), name).toEqual(numbered(2_000));
      expect(codecsIn(records), name).toContain(codec);
    }
  });
});

describe('transactions', () => {
  test('what was committed counts, what was given up is passed, and what is undecided ends what is stable', async () => {
    const topic = await newTopic();
    const transactional = async (name: string) => {
      const made = kafkaClient().producer({
        transactionalId: uniqueName(name),
        maxInFlightRequests: 1,
        idempotent: true,
      });
      await made.connect();
      return made;
    };
    const [one, other] = await Promise.all([transactional('one'), transactional('other')]);
    try {
      const send = (sender: Pick<Producer, 'send'>, value: string) => sender.send({ topic, messages: [{ value }] });
      const givenUp = await one.transaction();
      await send(givenUp, 'given up');
      const committed = await other.transaction();
      await send(committed, 'committed');
      await send(producer, 'outside');
      await givenUp.abort();
      await committed.commit();
      const later = await one.transaction();
      await send(later, 'later');
      await later.commit();
      await using reader = await open(topic);
      // Markers are written soon after the end of their transaction is acknowledged: three of them here.
      await vi.waitFor(async () => expect(await listed(reader, 'latest')).toBe(7), { timeout: 60_000 });
      const undecided = await other.transaction();
      await send(undecided, 'undecided');
      await send(producer, 'behind');

      const { read, records } = await reader.readTo(7);
      const values = told(read);
      expect(values.filter((value) => !value.startsWith('passed'))).toEqual(['committed', 'outside', 'later']);
      expect(values).toHaveLength(7);
      expect(values[0]).toBe('passed 0-0');
      expect((await reader.fetch({ offset: 7 })).lastStableOffset).toBe(7);
      expect(await listed(reader, 'latest')).toBe(7);
      for (const each of read) {
        const delivery = new KafkaDelivery(each, placeIn(0, 1));
        expect(recordDigestAt(records, delivery.position.offset)).toBe(delivery.recordDigest());
      }
      await undecided.abort();
    } finally {
      await Promise.all([one.disconnect(), other.disconnect()]);
    }
  });
});

describe('what a fetch answers', () => {
  test('a batch larger than was asked for comes whole', async () => {
    const topic = await newTopic();
    await producer.send({ topic, messages: [{ value: Buffer.alloc(200_000, 'x') }] });
    await using reader = await open(topic);
    const { records } = await reader.fetch({ maxBytes: 1 });
    expect(batchAt(records, 0)?.raw.length).toBeGreaterThan(200_000);
  });

  test('a bomb that the broker took is passed over as one dead letter, and what follows is read', async () => {
    const topic = await newTopic();
    const bomb = { key: 'k', value: Buffer.alloc(65 * 1024 * 1024) };
    await producer.send({ topic, messages: [bomb], compression: CompressionTypes.GZIP });
    await producer.send({ topic, messages: [{ value: 'behind' }] });
    await using reader = await open(topic);
    const { read } = await reader.readTo(2);
    expect(told(read)).toEqual(['unreadable 0-0', 'behind']);
    expect(new KafkaDelivery(read[0] as ReadRecords, placeIn(0, 1)).content).toMatchObject({
      refusal: { code: 'UNREADABLE_BATCH', message: expect.stringContaining('offset 0 of partition 0') },
    });
  });

  test('offsets that are gone, or not there yet, are told', async () => {
    const topic = await newTopic();
    await producer.send({ topic, messages: numbered(3).map((value) => ({ value })) });
    await asAdmin(kafkaAddress(), async (admin) => {
      // Otherwise kafkajs does not know whom to ask.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    });
    await using reader = await open(topic);
    const gone = await reader.fetch({ offset: 1 });
    expect(protocolFailure(gone.errorCode, 'reading').code).toBe('SOURCE_LOST_HISTORY');
    expect((await reader.fetch({ offset: 9 })).errorCode).toBe(gone.errorCode);
    expect(await reader.fetch({ offset: 2 })).toMatchObject({ errorCode: 0, logStartOffset: 2, highWatermark: 3 });
    expect(await listed(reader, 'earliest')).toBe(2);
    expect(await listed(reader, 'latest')).toBe(3);
  });

  test('a leader of another epoch refuses', async () => {
    await using reader = await open(await newTopic());
    const { errorCode } = await reader.fetch({ leaderEpoch: reader.leader.leaderEpoch + 1 });
    expect(protocolFailure(errorCode, 'reading')).toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: /UNKNOWN_LEADER_EPOCH/,
    });
  });

  test('of a topic that was made anew nothing is fetched by the id of the old one', async () => {
    const topic = await newTopic();
    await using old = await open(topic);
    await deleteTopics(kafkaAddress(), [topic]);
    await createTopic(kafkaAddress(), { topic });
    await using reader = await open(topic);
    expect(reader.topic.topicId).not.toBe(old.topic.topicId);
    const { errorCode } = await reader.fetch({ topicId: old.topic.topicId });
    expect(protocolFailure(errorCode, 'reading')).toMatchObject({ code: 'QUEUE_UNSAFE', message: /UNKNOWN_TOPIC_ID/ });
  });

  test('a topic that is not there is told, and not made', async () => {
    await using reader = await open(await newTopic());
    const name = uniqueName();
    const ask = async () => reader.cluster.send(await reader.cluster.anyBroker(), metadataRequest([name]));
    for (const time of ['at first', 'again']) {
      const [found] = await ask();
      expect(protocolFailure(found?.errorCode ?? 0, 'reading').code, time).toBe('QUEUE_UNSAFE');
    }
  });
});

describe('connections', () => {
  test('closing ends what is under way at once', async () => {
    const reader = await open(await newTopic());
    // Opens the connection that fetches have for themselves, so that the next one is on its way in the next turn.
    await reader.fetch({ maxWait: 0 });
    const ended = [reader.fetch({ maxWait: 25_000 })];
    await setImmediate();
    ended.push(reader.fetch({ maxWait: 25_000 }));
    const closed = reader.cluster.close();
    for (const each of ended) await expect(each).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    await closed;
    await reader.cluster.close();
    await expect(reader.fetch({})).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
  });

  test('a group is joined, kept and left by the parts of kafkajs that are used for it', async () => {
    const topic = await newTopic();
    await using reader = await open(topic);
    const groupId = uniqueName('group');
    const metadata = AssignerProtocol.MemberMetadata.encode({
      version: 1,
      topics: [topic],
      userData: Buffer.from('x'),
    });
    const groupProtocols = [{ name: 'test', metadata }];
    // The first group of a broker makes the topic of groups: until it is there, nobody coordinates.
    const { broker, joined } = await vi.waitFor(
      async () => {
        const broker = await reader.cluster.findGroupCoordinator(groupId);
        const times = { sessionTimeout: 10_000, rebalanceTimeout: 10_000 };
        return { broker, joined: await broker.joinGroup({ groupId, memberId: '', ...times, groupProtocols }) };
      },
      { timeout: 60_000 },
    );
    const { memberId, generationId } = joined;
    expect(joined).toMatchObject({
      groupProtocol: 'test',
      leaderId: memberId,
      members: [{ memberId, memberMetadata: metadata }],
    });
    const assignment = { [topic]: [0] };
    const memberAssignment = AssignerProtocol.MemberAssignment.encode({
      version: 1,
      assignment,
      userData: Buffer.alloc(0),
    });
    const groupAssignment = [{ memberId, memberAssignment }];
    expect(await broker.syncGroup({ groupId, generationId, memberId, groupAssignment })).toMatchObject({
      memberAssignment,
    });
    const member = { groupId, groupGenerationId: generationId, memberId };
    await broker.heartbeat(member);
    await broker.offsetCommit({ ...member, topics: [{ topic, partitions: [{ partition: 0, offset: '5' }] }] });
    const offsets = await broker.offsetFetch({ groupId, topics: [{ topic, partitions: [{ partition: 0 }] }] });
    expect(offsets.responses).toMatchObject([{ topic, partitions: [{ partition: 0, offset: '5' }] }]);
    await broker.leaveGroup({ groupId, memberId });
    const unknown = await broker.heartbeat(member).catch((error: unknown) => kafkaFailure(error, 'beating'));
    expect(unknown).toMatchObject({ code: 'QUEUE_UNAVAILABLE', message: /UNKNOWN_MEMBER_ID/ });
    await asAdmin(kafkaAddress(), (admin) => admin.deleteGroups([groupId]));
  });
});
