import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../../src/domain/message.ts';
import { prepareCodecs } from '../../../src/queues/kafka/protocol/compression/expand.ts';
import { crc32c } from '../../../src/queues/kafka/protocol/crc32c.ts';
import { RecordReader } from '../../../src/queues/kafka/protocol/record-reader.ts';
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
        const { key, headers, value } = read;
        expect(plain({ offset: read.offset, timestamp: read.timestamp, key, headers, value })).toEqual(
          plain({ offset, timestamp, ...sentMessage }),
        );
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
  const body = encodeRecordBody({ key: undefined, headers: [], value: Buffer.alloc(10_000, 'macp') });
  const batch = await encodeBatch([{ timestamp: 1, body }], codecOf('zstd'));
  stampBatch(batch, stamp, crc32c);
  expect(batch.length).toBeLessThan(1_000);
  expect(new RecordReader(batch, [], 0).next()).toMatchObject({ kind: 'record', value: Buffer.alloc(10_000, 'macp') });
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

/** Buffers and views of them as text, so that they compare by content. */
function plain(value: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) =>
      part !== null && typeof part === 'object' && part.type === 'Buffer'
        ? Buffer.from(part.data).toString('hex')
        : part,
    ),
  );
}
