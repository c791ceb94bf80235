import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/domain/message.ts';
import { partitionOf } from '../../../src/domain/partition.ts';
import { decodeBinary, encodeBinary } from '../../../src/domain/wire/binary.ts';
import { KafkaDelivery, recordDigestAt } from '../../../src/queues/kafka/delivery.ts';
import { RecordReader } from '../../../src/queues/kafka/protocol/record-reader.ts';
import { append, claim } from '../../support/commands.ts';
import {
  batchOf,
  logAppendTime,
  markerBatch,
  message,
  placeIn,
  rawBatch,
  rawRecord,
  readAll,
  readFrom,
  transactional,
} from '../../support/record-batches.ts';

const partitions = 8;
const command = append(1, 'first');
const partition = partitionOf(command.session, partitions);
const sent = encodeBinary(command);

function deliveriesOf(batch: Buffer, from = 0): KafkaDelivery[] {
  return readFrom(batch, from).map((read) => new KafkaDelivery(read, placeIn(partition, partitions)));
}

function deliver(each: Message, at = partition, timestamp = 0): KafkaDelivery {
  const [read] = readFrom(batchOf([each], { baseOffset: 9, baseTimestamp: timestamp }), 9);
  if (read === undefined) throw new Error('nothing was read');
  return new KafkaDelivery(read, placeIn(at, partitions));
}

describe('what a record says', () => {
  test('is its message, at its position, as it was sent', () => {
    const delivery = deliver(sent);
    expect(delivery.content).toEqual(decodeBinary(sent));
    expect(delivery.position).toEqual({ partition, offset: 9 });
    expect(delivery.message()).toEqual(sent);
    expect(delivery.isPassed).toBe(false);
  });

  test('in another partition than its session belongs to is for no session to wait for', () => {
    const delivery = deliver(sent, (partition + 1) % partitions);
    expect(delivery.content).toMatchObject({
      kind: 'unreadable',
      session: command.session,
      refusal: { code: 'WRONG_PARTITION', message: expect.stringContaining(`belongs to ${partition} of 8`) },
    });
  });

  test.each([
    ['has no key', undefined, /it has no key/],
    ['has another key', Buffer.from('another'), /its key is not the session id/],
    ['was put there by another function of the key', sent.key, /partition by murmur2 of the key/],
  ])('and lies there because it %s says so', (_, key, because) => {
    const { content } = deliver({ ...sent, key }, (partition + 1) % partitions);
    expect(content).toMatchObject({ refusal: { message: expect.stringMatching(because) } });
  });

  test('that cannot be read stays what it is wherever it lies', () => {
    const unreadable = { ...sent, headers: [] };
    expect(deliver(unreadable, (partition + 1) % partitions).content).toEqual(decodeBinary(unreadable));
  });

  test('without a time of its own has the time of its record; one with a time keeps it', () => {
    const claimed = encodeBinary(claim(2, '//test/two'));
    expect(deliver(claimed, partition, 1_700_000_000_123).content).toMatchObject({ time: '2023-11-14T22:13:20.123Z' });
    const dated = encodeBinary({ ...claim(2, '//test/two'), time: '2020-02-02T00:00:00Z' });
    expect(deliver(dated, partition, 1_700_000_000_123).content).toMatchObject({ time: '2020-02-02T00:00:00Z' });
    expect(deliver(claimed, partition, -1).content).toEqual(decodeBinary(claimed));
    expect(deliver(claimed, partition, 2 ** 52).content).toEqual(decodeBinary(claimed));
  });
});

test('records that cannot be read are one dead letter that names their offsets and holds their bytes', () => {
  const batch = batchOf([sent, sent], { baseOffset: 30, attributes: 7 });
  const [delivery, ...others] = deliveriesOf(batch, 30);
  expect(others).toEqual([]);
  expect(delivery?.content).toMatchObject({
    kind: 'unreadable',
    session: undefined,
    refusal: { code: 'UNREADABLE_BATCH', message: expect.stringContaining('offsets 30 to 31 of partition') },
  });
  expect(delivery?.position.offset).toBe(31);
  expect(delivery?.message()).toEqual({ key: undefined, headers: [], value: batch });
});

test('a passed stretch ends at its last offset and has no content', () => {
  const [delivery] = deliveriesOf(rawBatch({ lastOffsetDelta: 4, count: 0 }));
  expect(delivery?.isPassed).toBe(true);
  expect(delivery?.position.offset).toBe(4);
  expect(() => delivery?.content).toThrow(TypeError);
});

describe('the digest of a record', () => {
  const messages = [message('a', '1', { h: 'x' }), message('b', '2'), message('c', '3')];

  test('is the same wherever a fetch begins, for records, markers, stretches and what cannot be read', () => {
    const fetched = Buffer.concat([
      batchOf(messages),
      batchOf(messages, { baseOffset: 3, producerId: 7, attributes: transactional }),
      markerBatch(6, 7, 'abort'),
      rawBatch({ baseOffset: 7, lastOffsetDelta: 2, records: rawRecord(0, 0, message('d', '4')) }),
      rawBatch({ baseOffset: 10, lastOffsetDelta: 1, count: 2, records: Buffer.from([1]) }),
      batchOf(messages, { baseOffset: 12, attributes: 7 }),
      rawBatch({ baseOffset: 15, lastOffsetDelta: 1, count: 0 }),
    ]);
    const read = readAll(new RecordReader(fetched, [{ producerId: 7n, firstOffset: 3 }], 0));
    const deliveries = read.map((each) => new KafkaDelivery(each, placeIn(partition, partitions)));
    expect(deliveries.map(({ position }) => position.offset)).toEqual([0, 1, 2, 5, 6, 7, 9, 11, 14, 16]);
    for (const delivery of deliveries) {
      expect(recordDigestAt(fetched, delivery.position.offset)).toBe(delivery.recordDigest());
    }
    expect(new Set(deliveries.map((delivery) => delivery.recordDigest())).size).toBe(deliveries.length);
  });

  test('tells another offset, time, key, header or value apart', () => {
    const digest = (fields: object, each = messages[0] ?? sent) =>
      deliveriesOf(batchOf([each], fields))[0]?.recordDigest();
    const digests = [
      digest({}),
      digest({ baseOffset: 1 }),
      digest({ baseTimestamp: 1 }),
      digest({ attributes: logAppendTime, maxTimestamp: 2 }),
      digest({}, message('b', '1', { h: 'x' })),
      digest({}, message('a', '1', { h: 'y' })),
      digest({}, message('a', '1', { i: 'x' })),
      digest({}, message('a', '2', { h: 'x' })),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('is not there for an offset that was not fetched', () => {
    expect(recordDigestAt(batchOf(messages), 3)).toBeUndefined();
    expect(recordDigestAt(batchOf(messages, { baseOffset: 5 }), 2)).toBeUndefined();
    expect(recordDigestAt(Buffer.alloc(0), 0)).toBeUndefined();
  });
});
