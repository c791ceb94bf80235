import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BodyWriter } from '../../../src/queues/kafka/protocol/body-writer.ts';
import { fetchRequest } from '../../../src/queues/kafka/protocol/fetch.ts';
import { listOffsetsRequest } from '../../../src/queues/kafka/protocol/list-offsets.ts';
import { metadataRequest } from '../../../src/queues/kafka/protocol/metadata.ts';
import type { ProtocolRequest } from '../../../src/queues/kafka/protocol/protocol-request.ts';

const topicId = Buffer.from(Array.from({ length: 16 }, (_, index) => index + 1));
const records = Buffer.from('record batches');

const fetching = fetchRequest({
  topicId: topicId.toString('base64url'),
  partitions: [{ partition: 3, offset: 2 ** 40, leaderEpoch: 7, maxBytes: 1000 }],
  maxWait: 500,
  minBytes: 1,
  maxBytes: 5000,
});
const asking = metadataRequest(['topic']);
const listing = listOffsetsRequest('topic', [{ partition: 3, leaderEpoch: 7 }], 'latest');

/** Tags that a newer broker may add: nobody here knows them. */
const unknownTag = Buffer.from([1, 9, 2, 0xaa, 0xbb]);

const fetchAnswer = new BodyWriter()
  .raw(unknownTag)
  .int32(0)
  .int16(0)
  .int32(0)
  .compactLength(1)
  .raw(topicId)
  .compactLength(1)
  .int32(3)
  .int16(0)
  .int64(20n)
  .int64(18n)
  .int64(5n)
  .compactLength(1)
  .int64(77n)
  .int64(6n)
  .noTags()
  .int32(-1)
  .compactBytes(records)
  .raw(unknownTag)
  .noTags()
  .raw(unknownTag)
  .finish();

const metadataAnswer = new BodyWriter()
  .noTags()
  .int32(0)
  .compactLength(1)
  .int32(1)
  .compactText('host')
  .int32(9092)
  .compactText(undefined)
  .noTags()
  .compactText('cluster')
  .int32(1)
  .compactLength(1)
  .int16(0)
  .compactText('topic')
  .raw(topicId)
  .int8(0)
  .compactLength(1)
  .int16(0)
  .int32(3)
  .int32(1)
  .int32(7)
  .compactLength(1)
  .int32(1)
  .compactLength(1)
  .int32(1)
  .compactLength(0)
  .noTags()
  .int32(-2147483648)
  .noTags()
  .noTags()
  .finish();

const listAnswer = new BodyWriter()
  .int32(0)
  .int32(1)
  .text('topic')
  .int32(1)
  .int32(3)
  .int16(0)
  .int64(-1n)
  .int64(18n)
  .int32(7)
  .finish();

const samples: [string, ProtocolRequest<unknown>, Buffer, unknown][] = [
  [
    'Fetch',
    fetching,
    fetchAnswer,
    {
      errorCode: 0,
      partitions: [
        {
          partition: 3,
          errorCode: 0,
          highWatermark: 20,
          lastStableOffset: 18,
          logStartOffset: 5,
          abortedTransactions: [{ producerId: 77n, firstOffset: 6 }],
          records,
        },
      ],
    },
  ],
  [
    'Metadata',
    asking,
    metadataAnswer,
    [
      {
        errorCode: 0,
        name: 'topic',
        topicId: topicId.toString('base64url'),
        partitions: [{ errorCode: 0, partition: 3, leader: 1, leaderEpoch: 7, replicas: 1 }],
      },
    ],
  ],
  ['ListOffsets', listing, listAnswer, [{ partition: 3, errorCode: 0, offset: 18 }]],
];

describe.each(samples)('an answer to %s', (name, request, answer, expected) => {
  test('is read, whatever tags a newer broker adds', () => {
    expect(request.apiName).toBe(name);
    expect(request.read(answer)).toEqual(expected);
  });

  function readOrRefuse(hostile: Buffer): void {
    try {
      request.read(hostile);
    } catch (error) {
      expect(error).toMatchObject({ code: 'UNEXPECTED' });
    }
  }

  test('that is cut short anywhere is refused', () => {
    for (let length = 0; length < answer.length - unknownTag.length - 2; length += 1) {
      expect(() => request.read(answer.subarray(0, length))).toThrow(expect.objectContaining({ code: 'UNEXPECTED' }));
    }
  });

  test('of any bytes is read or refused', () => {
    for (let at = 0; at < answer.length; at += 1) {
      for (const change of [0x01, 0x7f, 0xff]) {
        const hostile = Buffer.from(answer);
        hostile[at] = (hostile[at] ?? 0) ^ change;
        readOrRefuse(hostile);
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => readOrRefuse(Buffer.from(bytes))));
  });
});

test('the records of a fetch are a view of the answer, not a copy', () => {
  const [partition] = fetching.read(fetchAnswer).partitions;
  expect(partition?.records.buffer).toBe(fetchAnswer.buffer);
});

test('a partition without records has none', () => {
  const end = records.length + unknownTag.length + 1 + unknownTag.length + 1;
  const answer = Buffer.concat([fetchAnswer.subarray(0, fetchAnswer.length - end), Buffer.alloc(4)]);
  expect(fetching.read(answer).partitions[0]?.records).toHaveLength(0);
});
