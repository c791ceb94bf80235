import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/queues/kafka/protocol/crc32c.ts';
import type { KafkaRecord, ReadRecords } from '../../../src/queues/kafka/protocol/read-records.ts';
import { RecordReader } from '../../../src/queues/kafka/protocol/record-reader.ts';
import { encodeBatch, stampBatch } from '../../../src/queues/kafka/publishing/record-batch.ts';
import { encodeRecordBody } from '../../../src/queues/kafka/publishing/record-body.ts';
import {
  batchOf,
  checksummed,
  control,
  kafkajsBatch,
  logAppendTime,
  markerBatch,
  message,
  rawBatch,
  rawRecord,
  rawRecordOf,
  readAll,
  readFrom,
  sized,
  transactional,
  varint,
} from '../../support/record-batches.ts';

const [one, two, three] = [message('a', '1'), message('b', '2'), message('c', '3')];

/** Offsets that were read, with what they are where they are no records. */
function told(read: readonly ReadRecords[]): (number | string)[] {
  return read.map((each) =>
    each.kind === 'record' ? each.offset : `${each.kind} ${each.firstOffset}-${each.lastOffset}`,
  );
}

function values(read: readonly ReadRecords[]): string[] {
  return read.map((each) => (each.kind === 'record' ? Buffer.from(each.value).toString('utf8') : each.kind));
}

function headerTexts({ headers }: KafkaRecord): string[] {
  return headers.map(([name, value]) => `${name} ${Buffer.from(value).toString('utf8')}`);
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((value) => Buffer.from(value));
const headers = fc.dictionary(
  fc.string({ maxLength: 12, unit: 'binary' }).filter((name) => name !== '__proto__' && !/^\d+$/.test(name)),
  fc.array(bytes, { minLength: 1, maxLength: 3 }),
  { maxKeys: 8 },
);
const written = fc.record({
  key: fc.option(bytes, { nil: null }),
  value: fc.option(bytes, { nil: null }),
  headers,
  timestampDelta: fc.integer({ min: -1_000_000, max: 2 ** 31 }),
});

describe('what was written is read', () => {
  test('as kafkajs wrote it: keys, values, nulls, repeated and empty headers, times, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(written, { minLength: 1, maxLength: 10 }),
        fc.nat(2 ** 40),
        fc.integer({ min: 0, max: 2 ** 42 }),
        async (records, firstOffset, firstTimestamp) => {
          const numbered = records.map((record, offsetDelta) => ({ ...record, offsetDelta }));
          const batch = await kafkajsBatch(numbered, { firstOffset, firstTimestamp });
          const read = readFrom(batch, firstOffset);
          expect(read).toEqual(
            records.map((record, index) => ({
              kind: 'record',
              offset: firstOffset + index,
              timestamp: firstTimestamp + record.timestampDelta,
              key: record.key === null ? undefined : Buffer.from(record.key),
              value: Buffer.from(record.value ?? []),
              headers: Object.entries(record.headers).flatMap(([name, all]) => all.map((value) => [name, value])),
              bytes: expect.any(Number),
            })),
          );
        },
      ),
    );
  });

  test('as our own publisher writes it', async () => {
    const messages = [
      message('k', 'v', { ce_id: 'x', ce_type: 'y' }),
      { key: undefined, headers: [], value: Buffer.alloc(0) },
    ];
    const batch = await encodeBatch(
      messages.map((each, index) => ({ timestamp: 1_000 - index, body: encodeRecordBody(each) })),
      undefined,
    );
    stampBatch(batch, { producerId: 7n, epoch: 0, sequence: 0, isTransactional: false }, crc32c);
    expect(readFrom(batch)).toMatchObject(
      messages.map((each, index) => ({ ...each, kind: 'record', offset: index, timestamp: 1_000 - index })),
    );
  });

  test('names of headers stay apart however their order and number change from record to record', () => {
    const names = ['ce_id', 'ce_ix', 'x', '', 'ce_type'];
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom(...names)), { minLength: 1, maxLength: 6 }), (orders) => {
        const messages = orders.map((order) => ({
          ...one,
          headers: order.map((name) => [name, Buffer.from(name)] as const),
        }));
        expect(readFrom(batchOf(messages))).toMatchObject(messages.map(({ headers }) => ({ headers })));
      }),
    );
  });

  test('values that repeat for long, change, and come back stay what they were sent as', () => {
    const value = fc.constantFrom('', 'a', 'b', 'a'.repeat(129));
    const stretch = fc.record({ value, length: fc.constantFrom(1, 17, 300) });
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 4 }), (stretches) => {
        const sent = stretches.flatMap(({ value: same, length }) => Array.from({ length }, () => same));
        const read = readFrom(batchOf(sent.map((same, index) => message('k', 'v', { same, other: `${index}` }))));
        expect(read.map((each) => (each.kind === 'record' ? headerTexts(each) : each.kind))).toEqual(
          sent.map((same, index) => [`same ${same}`, `other ${index}`]),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('with the time of the broker where the topic says so', () => {
    const batch = batchOf([one, two], { attributes: logAppendTime, baseTimestamp: 5, maxTimestamp: 900 });
    expect(readFrom(batch)).toMatchObject([{ timestamp: 900 }, { timestamp: 900 }]);
  });

  test('a time difference of 64 bits is read', () => {
    const records = rawRecord(0, -(2 ** 52), one);
    expect(readFrom(rawBatch({ records, baseTimestamp: 2 ** 52 + 1 }))).toMatchObject([{ timestamp: 1 }]);
  });
});

describe('offsets', () => {
  const fetched = Buffer.concat([batchOf([one, two], { baseOffset: 10 }), batchOf([three], { baseOffset: 12 })]);

  test.each([
    [0, [10, 11, 12]],
    [11, [11, 12]],
    [12, [12]],
    [13, []],
  ])('what stands below offset %d is left out', (from, offsets) => {
    expect(told(readFrom(fetched, from))).toEqual(offsets);
  });

  test('the next offset is behind what was handed out, and where it was while nothing was', () => {
    const reader = new RecordReader(fetched, [], 11);
    expect(reader.nextOffset).toBe(11);
    reader.next();
    expect(reader.nextOffset).toBe(12);
    reader.next();
    expect(reader.nextOffset).toBe(13);
  });

  test('a batch cut short at the end of a fetch is left for the next one', () => {
    const whole = fetched.length - batchOf([three]).length;
    for (let length = whole; length < fetched.length; length += 1) {
      const reader = new RecordReader(fetched.subarray(0, length), [], 10);
      expect(told(readAll(reader))).toEqual([10, 11]);
      expect(reader.nextOffset).toBe(12);
    }
  });

  test('offsets without a record, between records or at the end, leave no hole that is waited for', () => {
    const records = Buffer.concat([rawRecord(1, 0, one), rawRecord(4, 0, two)]);
    const batch = rawBatch({ baseOffset: 100, lastOffsetDelta: 6, count: 2, records });
    const reader = new RecordReader(batch, [], 100);
    expect(told(readAll(reader))).toEqual([101, 104, 'passed 105-106']);
    expect(reader.nextOffset).toBe(107);
  });

  test('a batch from which compaction took everything is passed', () => {
    expect(told(readFrom(rawBatch({ baseOffset: 5, lastOffsetDelta: 3, count: 0 }), 6))).toEqual(['passed 6-8']);
  });
});

describe('transactions', () => {
  const batch = (baseOffset: number, producerId: number, count = 1) =>
    batchOf(Array(count).fill(one), { baseOffset, producerId, attributes: transactional });

  function readCommitted(parts: readonly Buffer[], aborted: readonly (readonly [number, number])[], from = 0) {
    const list = aborted.map(([producerId, firstOffset]) => ({ producerId: BigInt(producerId), firstOffset }));
    return told(readAll(new RecordReader(Buffer.concat(parts), list, from)));
  }

  test('what was given up is passed up to its marker; what the same producer commits later counts', () => {
    const parts = [batch(0, 7, 2), markerBatch(2, 7, 'abort'), batch(3, 7), markerBatch(4, 7, 'commit')];
    expect(readCommitted(parts, [[7, 0]])).toEqual(['passed 0-1', 'passed 2-2', 3, 'passed 4-4']);
  });

  test('transactions of several producers are told apart where they overlap', () => {
    const parts = [
      batch(0, 7),
      batch(1, 8),
      batchOf([two], { baseOffset: 2 }),
      batch(3, 7),
      markerBatch(4, 8, 'commit'),
      markerBatch(5, 7, 'abort'),
      batch(6, 7),
    ];
    const expected = ['passed 0-0', 1, 2, 'passed 3-3', 'passed 4-4', 'passed 5-5', 6];
    expect(readCommitted(parts, [[7, 0]])).toEqual(expected);
  });

  test('two given up one after the other, listed in any order', () => {
    const parts = [batch(0, 7), markerBatch(1, 7, 'abort'), batch(2, 7), markerBatch(3, 7, 'abort')];
    const aborted = [
      [7, 2],
      [7, 0],
    ] as const;
    expect(readCommitted(parts, aborted)).toEqual(['passed 0-0', 'passed 1-1', 'passed 2-2', 'passed 3-3']);
  });

  test('one that began before what was fetched is known by its producer', () => {
    expect(readCommitted([batch(20, 7), markerBatch(21, 7, 'abort')], [[7, 3]], 20)).toEqual([
      'passed 20-20',
      'passed 21-21',
    ]);
  });

  test('records outside of any transaction count, whoever wrote them', () => {
    expect(readCommitted([batchOf([one], { producerId: 7 })], [[7, 0]])).toEqual([0]);
  });

  test('nothing is read behind an end of a transaction that cannot be read: the next fetch knows what counts', () => {
    const broken = rawBatch({ baseOffset: 1, producerId: 7, attributes: control | transactional });
    const reader = new RecordReader(
      Buffer.concat([batch(0, 7), broken, batch(2, 7)]),
      [{ producerId: 7n, firstOffset: 0 }],
      0,
    );
    expect(told(readAll(reader))).toEqual(['passed 0-0', 'unreadable 1-1']);
    expect(reader.nextOffset).toBe(2);
  });
});

describe('what cannot be read is one stretch, and what follows is read', () => {
  const following = batchOf([three], { baseOffset: 2 });

  function damaged(change: (batch: Buffer) => void): Buffer {
    const batch = batchOf([one, two]);
    change(batch);
    return batch;
  }

  test('a wrong checksum', () => {
    const batch = damaged((each) => each.writeUInt8((each.at(-1) ?? 0) ^ 1, each.length - 1));
    const reader = new RecordReader(Buffer.concat([batch, following]), [], 0);
    expect(readAll(reader)).toEqual([
      { kind: 'unreadable', firstOffset: 0, lastOffset: 1, reason: expect.stringContaining('checksum'), raw: batch },
    ]);
    expect(values(readFrom(following, reader.nextOffset))).toEqual(['3']);
  });

  test('a damaged count of offsets passes over nothing: the batch behind it tells the end, else one offset at a time', () => {
    const batch = damaged((each) => each.writeInt32BE(1_000_000, 23));
    expect(told(readFrom(Buffer.concat([batch, following])))).toEqual(['unreadable 0-1']);
    expect(told(readFrom(batch))).toEqual(['unreadable 0-0']);
    expect(told(readFrom(batch, 1))).toEqual(['unreadable 1-1']);
  });

  test.each([0, 1])('records of the old format %d', (magic) => {
    const old = rawBatch({ magic, baseOffset: 6 });
    expect(readFrom(old, 6)).toMatchObject([
      { kind: 'unreadable', lastOffset: 6, reason: expect.stringContaining('format') },
    ]);
  });

  test('the smallest entry of an old format', () => {
    const old = rawBatch({ magic: 1 }).subarray(0, 26);
    old.writeInt32BE(14, 8);
    expect(told(readFrom(old))).toEqual(['unreadable 0-0']);
  });

  test('a codec that nobody knows', () => {
    const parts = [batchOf([one, two], { attributes: 7 }), following];
    expect(told(readFrom(Buffer.concat(parts)))).toEqual(['unreadable 0-1', 2]);
  });

  const sound = rawRecord(0, 0, one);
  test.each<[string, Buffer]>([
    ['is cut short', rawRecord(1, 0, two).subarray(0, 4)],
    ['says that it is longer than the batch', varint(2 ** 31 - 1)],
    ['says that it has less than no bytes', varint(-5)],
    ['has a number that never ends', Buffer.alloc(40, 0xff)],
    ['has a length of 64 bits', Buffer.concat([varint(2n ** 40n), Buffer.alloc(9)])],
    ['has an offset that was there', rawRecord(0, 0, two)],
    ['has an offset behind the last one', rawRecord(3, 0, two)],
    ['has a key longer than itself', rawRecordOf(1, 0, [varint(500)])],
    ['has a key of less than null', rawRecordOf(1, 0, [varint(-2)])],
    ['has fewer headers than it says', rawRecordOf(1, 0, [sized(undefined), sized(undefined), varint(900)])],
    ['has less than no headers', rawRecordOf(1, 0, [sized(undefined), sized(undefined), varint(-1)])],
    ['is longer than its parts', rawRecordOf(1, 0, [sized(undefined), sized(undefined), varint(0), Buffer.alloc(1)])],
  ])('a record that %s, and those behind it', (_, malformed) => {
    const batch = rawBatch({ lastOffsetDelta: 2, count: 3, records: Buffer.concat([sound, malformed]) });
    expect(told(readFrom(batch))).toEqual([0, 'unreadable 1-2']);
    expect(told(readFrom(batch, 2))).toEqual(['unreadable 1-2']);
  });

  test('a record with countless headers, alone', () => {
    const many = rawRecordOf(1, 0, [sized(undefined), sized(undefined), varint(1_025), Buffer.alloc(2 * 1_025)]);
    const records = Buffer.concat([sound, many, rawRecord(2, 0, three)]);
    expect(told(readFrom(rawBatch({ lastOffsetDelta: 2, count: 3, records })))).toEqual([0, 'unreadable 1-1', 2]);
  });

  test('fewer records than promised', () => {
    const batch = rawBatch({ lastOffsetDelta: 2 ** 31 - 1, count: 2 ** 31 - 1, records: sound });
    expect(told(readFrom(batch))).toEqual([0, `unreadable 1-${2 ** 31 - 1}`]);
  });

  test('a last offset before the first', () => {
    expect(told(readFrom(rawBatch({ lastOffsetDelta: -5, records: sound })))).toEqual(['unreadable 0-0']);
  });
});

describe('no bytes break the reader', () => {
  const fetched = Buffer.concat([
    batchOf([one, two], { baseOffset: 0, producerId: 7, attributes: transactional }),
    markerBatch(2, 7, 'abort'),
    batchOf([message('k', 'v', { ce_id: 'x', ce_type: 'y' })], { baseOffset: 3 }),
  ]);

  /** With the checksums of all batches made anew, as far as their lengths tell where they are. */
  function checksummedEach(hostile: Buffer): Buffer {
    for (let at = 0; at + 61 <= hostile.length; ) {
      const end = at + 12 + hostile.readInt32BE(at + 8);
      if (end < at + 61 || end > hostile.length) break;
      checksummed(hostile.subarray(at, end));
      at = end;
    }
    return hostile;
  }

  /** Reads to the end. Offsets go up, and nothing but a fetch that has no batches in it is told by an error. */
  function readToTheEnd(hostile: Buffer): void {
    const reader = new RecordReader(hostile, [{ producerId: 7n, firstOffset: 0 }], 0);
    let before = -1;
    try {
      for (let read = reader.next(); read !== undefined; read = reader.next()) {
        const first = read.kind === 'record' ? read.offset : read.firstOffset;
        expect(first).toBeGreaterThan(before);
        before = reader.nextOffset - 1;
        expect(before).toBeGreaterThanOrEqual(first);
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'QUEUE_CORRUPT' });
    }
  }

  test('every truncation', () => {
    for (let length = 0; length < fetched.length; length += 1) readToTheEnd(fetched.subarray(0, length));
  });

  test('every changed byte, with the checksum as it was and made anew', () => {
    for (let at = 0; at < fetched.length; at += 1) {
      for (const change of [0x01, 0x80, 0xff]) {
        const hostile = Buffer.from(fetched);
        hostile[at] = (hostile[at] ?? 0) ^ change;
        readToTheEnd(hostile);
        readToTheEnd(checksummedEach(hostile));
      }
    }
  });

  test('records of any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: -1, max: 2 ** 31 - 1 }),
        fc.nat(63),
        (records, count, attributes) => {
          readToTheEnd(
            rawBatch({
              records: Buffer.from(records),
              count,
              lastOffsetDelta: Math.max(0, count - 1),
              attributes: attributes & ~4,
            }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('what is no batch at all stops the reading', () => {
    expect(() => readFrom(Buffer.alloc(64))).toThrow(expect.objectContaining({ code: 'QUEUE_CORRUPT' }));
  });
});
