import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../../src/domain/message.ts';
import { prepareCodecs } from '../../../src/queues/kafka/protocol/compression/expand.ts';
import { crc32c } from '../../../src/queues/kafka/protocol/crc32c.ts';
import { RecordReader } from '../../../src/queues/kafka/protocol/record-reader.ts';
import { batchRecords } from '../../../src/queues/kafka/publishing/batches.ts';
import { codecOf } from '../../../src/queues/kafka/publishing/compression.ts';
import {
  batchOverhead,
  encodeBatch,
  recordBytes,
  stampBatch,
} from '../../../src/queues/kafka/publishing/record-batch.ts';
import { encodeRecordBody } from '../../../src/queues/kafka/publishing/record-body.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const message: fc.Arbitrary<Message> = fc.record({
  key: fc.option(bytes, { nil: undefined }),
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 20 }), bytes), { maxLength: 5 }),
  value: bytes,
});
const records = fc.array(fc.record({ message, timestamp: fc.integer({ min: 0, max: 2 ** 44 }) }), {
  minLength: 1,
  maxLength: 20,
});
const stamp = { producerId: 7n, epoch: 3, sequence: 11, isTransactional: false };

test('a batch is read back as the records that were put into it, compressed or not', async () => {
  await prepareCodecs();
  await fc.assert(
    fc.asyncProperty(records, fc.constantFrom(undefined, codecOf('gzip')), async (sent, codec) => {
      const outgoing = sent.map(({ message: sentMessage, timestamp }) => ({
        timestamp,
        body: encodeRecordBody(sentMessage),
      }));
      const batch = await encodeBatch(outgoing, codec);
      stampBatch(batch, stamp, crc32c);
      const reader = new RecordReader(batch, [], 0);
      for (const [offset, { message: sentMessage, timestamp }] of sent.entries()) {
        const read = reader.next();
        if (read?.kind !== 'record') expect.fail('a record is missing');
        expect([read.offset, read.timestamp]).toEqual([offset, timestamp]);
        expect(shown(read)).toEqual(shown(sentMessage));
      }
      expect(reader.next()).toBeUndefined();
    }),
  );
});

test('zstd is there where Node.js has it, and refused where not', async () => {
  await prepareCodecs();
  if (!('zstdCompress' in zlib)) {
    expect(() => codecOf('zstd')).toThrow(expect.objectContaining({ code: 'INVALID_CONFIGURATION' }));
    return;
  }
  const sent: Message = { key: undefined, headers: [], value: Buffer.alloc(10_000, 'macp') };
  const batch = await encodeBatch([{ timestamp: 1, body: encodeRecordBody(sent) }], codecOf('zstd'));
  stampBatch(batch, stamp, crc32c);
  expect(batch.length).toBeLessThan(1_000);
  const read = new RecordReader(batch, [], 0).next();
  if (read?.kind !== 'record') expect.fail('the record is missing');
  expect(shown(read)).toEqual(shown(sent));
});

test('a record never takes more than is reckoned with', async () => {
  await fc.assert(
    fc.asyncProperty(records, async (sent) => {
      const outgoing = sent.map(({ message: sentMessage, timestamp }) => ({
        timestamp,
        body: encodeRecordBody(sentMessage),
      }));
      const most = outgoing.reduce((sum, record) => sum + recordBytes(record), batchOverhead);
      expect((await encodeBatch(outgoing, undefined)).length).toBeLessThanOrEqual(most);
    }),
  );
});

test('a batch may be stamped again and again: only the last stamp is in it', async () => {
  const body = encodeRecordBody({ key: Buffer.from('k'), headers: [], value: Buffer.from('v') });
  const [once, twice] = await Promise.all([1, 2].map(() => encodeBatch([{ timestamp: 5, body }], undefined)));
  if (once === undefined || twice === undefined) expect.fail();
  stampBatch(twice, { producerId: 9n, epoch: 1, sequence: 4, isTransactional: true }, crc32c);
  for (const batch of [once, twice]) stampBatch(batch, stamp, crc32c);
  expect(twice.equals(once)).toBe(true);
});

/** A message as text, to compare. */
function shown({ key, headers, value }: Message): unknown {
  const text = (content: Uint8Array): string => Buffer.from(content).toString('hex');
  return [key === undefined ? key : text(key), headers.map(([name, content]) => [name, text(content)]), text(value)];
}

test('records are split into batches of bounded size and requests that a broker takes, in order', async () => {
  const sizes = [300, 300, 300, 5_000, 300, 300];
  const placed = sizes.flatMap((size) =>
    [0, 1].map((partition) => {
      const body = encodeRecordBody({ key: undefined, headers: [], value: Buffer.alloc(size) });
      return { partition, record: { timestamp: 1, body } };
    }),
  );
  const { rounds, places } = await batchRecords(placed, { batchBytes: 800, codec: undefined });
  expect(rounds.map((round) => round.map(({ partition, count }) => [partition, count]))).toEqual(
    [2, 1, 1, 2].map((count) => [
      [0, count],
      [1, count],
    ]),
  );
  const order = rounds.flat();
  const places0 = places.filter((_, index) => index % 2 === 0).map(({ batch, index }) => [order.indexOf(batch), index]);
  expect(places0).toEqual([
    [0, 0],
    [0, 1],
    [2, 0],
    [4, 0],
    [6, 0],
    [6, 1],
  ]);

  const mebibyte = 1024 * 1024;
  const large = Array.from({ length: 5 }, (_, partition) => {
    const body = encodeRecordBody({ key: undefined, headers: [], value: Buffer.alloc(10 * mebibyte) });
    return { partition, record: { timestamp: 1, body } };
  });
  const split = await batchRecords(large, { batchBytes: mebibyte, codec: undefined });
  expect(split.rounds.map((round) => round.length)).toEqual([3, 2]);
});
