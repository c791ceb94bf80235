import { describe, expect, test } from 'vitest';
import { bytesDigest } from '../../../src/domain/digest.ts';
import { type FeedStart, PartitionFeed } from '../../../src/queues/kafka/consumer/partition-feed.ts';
import { recordDigestAt } from '../../../src/queues/kafka/delivery.ts';
import type { FetchedPartition } from '../../../src/queues/kafka/protocol/fetch.ts';
import { RepeatedHeaders } from '../../../src/queues/kafka/protocol/repeated-headers.ts';
import { batchOf, message, placeIn } from '../../support/record-batches.ts';

function feedFrom(start: FeedStart): PartitionFeed {
  return new PartitionFeed(placeIn(0, 1), start, new RepeatedHeaders());
}

/** Records of these values from `baseOffset` on, each batch of two. */
function records(baseOffset: number, ...values: readonly string[]): Buffer {
  const batches: Buffer[] = [];
  for (let index = 0; index < values.length; index += 2) {
    const messages = values.slice(index, index + 2).map((value) => message('key', value));
    batches.push(batchOf(messages, { baseOffset: baseOffset + index }));
  }
  return Buffer.concat(batches);
}

function fetched(bytes: Buffer, end = 1_000): FetchedPartition {
  const offsets = { highWatermark: end, lastStableOffset: end, logStartOffset: 0 };
  return { partition: 0, errorCode: 0, ...offsets, abortedTransactions: [], records: bytes };
}

function takeAll(feed: PartitionFeed): string[] {
  const taken: string[] = [];
  for (let delivery = feed.peek(); delivery !== undefined; delivery = feed.peek()) {
    feed.advance();
    const { offset } = delivery.position;
    taken.push(
      delivery.content.kind === 'unreadable' && delivery.message().key === undefined
        ? `unreadable ${offset}`
        : `${offset}`,
    );
  }
  return taken;
}

const digest = bytesDigest(Buffer.from('another record'));

describe('a feed with a stored position', () => {
  const held = records(4, 'four', 'five', 'six', 'seven');
  const position = { next: 6, digest: recordDigestAt(held, 5) ?? digest };

  test('fetches the record before it as well, and delivers what stands behind that', () => {
    const feed = feedFrom(position);
    expect([feed.wanted.offset, feed.isVerified]).toEqual([5, false]);
    expect(feed.accept(5, fetched(held))).toBeUndefined();
    expect(feed.isVerified).toBe(true);
    expect(takeAll(feed)).toEqual(['6', '7']);
    expect(feed.wanted.offset).toBe(8);
  });

  test('refuses another record there, and delivers nothing', () => {
    const feed = feedFrom({ ...position, digest });
    expect(feed.accept(5, fetched(held))).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
    expect(takeAll(feed)).toEqual([]);
  });

  test('finds out what is held when nothing comes, or when the offset is none of the broker', () => {
    const early = feedFrom(position);
    expect(early.accept(5, fetched(Buffer.alloc(0), 6))).toBeUndefined();
    expect([early.isVerified, early.needsBounds]).toEqual([false, false]);
    expect(early.accept(5, fetched(Buffer.alloc(0), 5))).toBeUndefined();
    expect(early.needsBounds).toBe(true);
    expect(early.bounded({ start: 0, end: 5 })).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
    const late = feedFrom(position);
    late.outOfBounds();
    expect(late.bounded({ start: 7, end: 9 })).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
  });

  test('does not miss the record before it when that alone is gone', () => {
    const feed = feedFrom(position);
    feed.outOfBounds();
    expect(feed.bounded({ start: 6, end: 6 })).toBeUndefined();
    expect([feed.isVerified, feed.wanted.offset]).toEqual([true, 6]);
  });
});

describe('a feed whose fetching was interrupted', () => {
  test('reads the last record again before it goes on: taken, taken in part, or not taken yet', () => {
    for (const takes of [4, 1, 0]) {
      const feed = feedFrom({ next: 0 });
      feed.accept(0, fetched(records(0, 'a', 'b', 'c', 'd')));
      for (let take = 0; take < takes; take += 1) {
        feed.peek();
        feed.advance();
      }
      if (takes === 4) feed.peek();
      feed.interrupt();
      expect(feed.wanted.offset).toBe(3);
      expect(feed.accept(3, fetched(records(2, 'c', 'd', 'e', 'f')))).toBeUndefined();
      expect(takeAll(feed)).toEqual(['0', '1', '2', '3', '4', '5'].slice(takes));
    }
  });

  test('asks for the last record that it holds, whatever is taken of the answers before meanwhile', () => {
    const feed = feedFrom({ next: 0 });
    feed.accept(0, fetched(records(0, 'a', 'b')));
    feed.accept(2, fetched(records(2, 'c', 'd')));
    feed.interrupt();
    feed.peek();
    feed.advance();
    feed.peek();
    feed.advance();
    expect(feed.peek()?.position.offset).toBe(2);
    expect(feed.wanted.offset).toBe(3);
    expect(feed.accept(3, fetched(records(2, 'c', 'd', 'e', 'f')))).toBeUndefined();
    expect(takeAll(feed)).toEqual(['2', '3', '4', '5']);
  });

  test('refuses another record in its place', () => {
    const feed = feedFrom({ next: 0 });
    feed.accept(0, fetched(records(0, 'a', 'b')));
    feed.interrupt();
    expect(feed.accept(1, fetched(records(0, 'a', 'other', 'c')))).toMatchObject({ code: 'SOURCE_LOST_HISTORY' });
  });

  test('that has read nothing yet has nothing to read again', () => {
    const feed = feedFrom(undefined);
    expect(feed.needsBounds).toBe(true);
    expect(feed.bounded({ start: 3, end: 9 })).toBeUndefined();
    feed.interrupt();
    expect([feed.wanted.offset, feed.isVerified]).toEqual([3, true]);
  });

  test('ignores what was asked for before', () => {
    const feed = feedFrom({ next: 0 });
    feed.accept(0, fetched(records(0, 'a', 'b')));
    feed.interrupt();
    expect(feed.accept(2, fetched(records(2, 'c', 'd')))).toBeUndefined();
    expect(takeAll(feed)).toEqual(['0', '1']);
  });
});

describe('a feed that gets batches', () => {
  test('cut short takes the whole ones, and asks for more when there is none', () => {
    const bytes = records(0, 'a', 'b', 'c', 'd');
    const feed = feedFrom({ next: 0 });
    feed.accept(0, fetched(bytes.subarray(0, bytes.length - 1)));
    expect(takeAll(feed)).toEqual(['0', '1']);
    const large = batchOf([message('key', 'x'.repeat(9_000_000))], { baseOffset: 2 });
    feed.accept(2, fetched(large.subarray(0, 100)));
    expect(feed.wanted).toEqual({ offset: 2, maxBytes: large.length });
    feed.accept(2, fetched(large));
    expect(takeAll(feed)).toEqual(['2']);
    expect(feed.wanted.maxBytes).toBeLessThan(large.length);
  });

  test('that are damaged delivers them as unreadable, once, and fetches again what stands behind', () => {
    const sound = records(0, 'a', 'b');
    const damaged = records(2, 'c', 'd');
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const behind = records(4, 'e', 'f');
    const feed = feedFrom({ next: 0 });
    feed.accept(0, fetched(Buffer.concat([sound, damaged, behind])));
    feed.accept(6, fetched(records(6, 'g', 'h')));
    expect(takeAll(feed)).toEqual(['0', '1', 'unreadable 3']);
    expect(feed.wanted.offset).toBe(4);
    feed.accept(4, fetched(Buffer.concat([behind, records(6, 'g', 'h')])));
    expect(takeAll(feed)).toEqual(['4', '5', '6', '7']);
  });

  test('that lie about their last offset is not taken to have lost what follows', () => {
    const damaged = records(0, 'a', 'b');
    damaged.writeInt32BE(5_000, 23);
    const feed = feedFrom({ next: 0 });
    feed.accept(0, fetched(damaged));
    expect(feed.wanted.offset).toBe(5_001);
    feed.outOfBounds();
    feed.interrupt();
    expect(feed.bounded({ start: 0, end: 2 })).toBeUndefined();
    expect(takeAll(feed)).toEqual(['unreadable 0']);
    expect(feed.bounded({ start: 0, end: 2 })).toBeUndefined();
    expect(feed.wanted.offset).toBe(0);
    expect(feed.accept(0, fetched(damaged))).toBeUndefined();
  });

  test('counts what it holds until all of it is taken', () => {
    const bytes = records(0, 'a', 'b');
    const feed = feedFrom({ next: 0 });
    feed.accept(0, fetched(bytes));
    feed.peek();
    feed.advance();
    expect(feed.bufferedBytes).toBe(bytes.length);
    takeAll(feed);
    expect(feed.bufferedBytes).toBe(0);
  });

  test('that are none fails', () => {
    expect(() => feedFrom({ next: 0 }).accept(0, fetched(Buffer.alloc(200, 0xff)))).toThrow(
      expect.objectContaining({ code: 'QUEUE_CORRUPT' }),
    );
  });
});
