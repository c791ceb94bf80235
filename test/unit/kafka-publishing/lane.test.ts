import { describe, expect, test } from 'vitest';
import { PersistenceError } from '../../../src/domain/errors.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Producer, Rounds } from '../../../src/queues/kafka/publishing/producer.ts';
import { encodeRecordBody, type RecordBody } from '../../../src/queues/kafka/publishing/record-body.ts';
import { groupWriter } from '../../../src/queues/kafka/publishing/record-writer.ts';
import { Lane } from '../../../src/queues/lane.ts';
import type { WaitingRecord } from '../../../src/queues/publishes.ts';

const mebibyte = 1024 * 1024;

/** A producer that does what the test says: groups wait until they are let go. */
class HeldProducer implements Producer {
  readonly groups: number[][] = [];
  opened = 0;
  failure: PersistenceError | undefined;
  #next = 0;
  #letGo: (() => void)[] = [];

  async open(): Promise<void> {
    this.opened += 1;
    if (this.failure !== undefined) throw this.failure;
  }

  async write(rounds: Rounds): Promise<void> {
    this.groups.push(rounds.map((round) => round.reduce((sum, { count }) => sum + count, 0)));
    await new Promise<void>((resolve) => this.#letGo.push(resolve));
    if (this.failure !== undefined) throw this.failure;
    for (const batch of rounds.flat()) {
      batch.offset = this.#next;
      this.#next += batch.count;
    }
  }

  /** Resolves once a group is being written, and lets it go. */
  async letGo(): Promise<void> {
    while (this.#letGo.length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.#letGo.shift()?.();
  }
}

function laneOf(producer: Producer, more: { lingerMs?: number; maximumWaitingBytes?: number } = {}): Lane<RecordBody> {
  return new Lane({
    writer: groupWriter(producer, systemClock, { batchBytes: mebibyte, codec: undefined }),
    clock: systemClock,
    lingerMs: 0,
    groupBytes: 8 * mebibyte,
    maximumWaitingBytes: 64 * mebibyte,
    ...more,
  });
}

function someRecord(bytes = 10): WaitingRecord<RecordBody> {
  return { partition: 0, body: encodeRecordBody({ key: undefined, headers: [], value: Buffer.alloc(bytes) }) };
}

const unavailable = new PersistenceError('QUEUE_UNAVAILABLE', 'no broker answers');

describe('a lane', () => {
  test('writes one group at a time, and all that arrived meanwhile as the next', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer);
    const first = lane.publish([someRecord()], undefined);
    await expect.poll(() => producer.groups.length).toBe(1);
    const others = Promise.all(Array.from({ length: 20 }, () => lane.publish([someRecord()], undefined)));
    expect(producer.groups).toEqual([[1]]);
    await producer.letGo();
    await first;
    await producer.letGo();
    expect((await others).flat().map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(producer.groups).toEqual([[1], [20]]);
  });

  test('a group that fails takes along what waits behind it, and what comes later is written again', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer);
    const first = lane.publish([someRecord()], undefined);
    await expect.poll(() => producer.groups.length).toBe(1);
    const second = lane.publish([someRecord()], undefined);
    producer.failure = unavailable;
    await Promise.all([
      expect(first).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' }),
      expect(second).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' }),
      producer.letGo(),
    ]);
    expect(producer.groups).toEqual([[1]]);
    producer.failure = undefined;
    const third = lane.publish([someRecord()], undefined);
    await producer.letGo();
    expect(await third).toEqual([{ partition: 0, offset: 0 }]);
  });

  test('is writable again only once the brokers answer, and asks them by itself', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer);
    producer.failure = unavailable;
    const lost = lane.publish([someRecord()], undefined);
    await Promise.all([expect(lost).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' }), producer.letGo()]);
    const writable = Promise.all([lane.whenWritable(undefined), lane.whenWritable(undefined)]);
    await expect.poll(() => producer.opened).toBeGreaterThan(2);
    await expect(lane.whenWritable(AbortSignal.timeout(1))).rejects.toMatchObject({ code: 'ABORTED' });
    producer.failure = undefined;
    await writable;
    // What no waiting mends is told by the next publish instead.
    producer.failure = new PersistenceError('WRITER_FENCED', 'shut out');
    const shutOut = lane.publish([someRecord()], undefined);
    await Promise.all([expect(shutOut).rejects.toMatchObject({ code: 'WRITER_FENCED' }), producer.letGo()]);
    await lane.whenWritable(undefined);
  });

  test('refuses what finds no room, takes one that is larger than all room when it is alone, and has room again', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer, { maximumWaitingBytes: 10_000 });
    const large = lane.publish([someRecord(50_000)], undefined);
    await expect(lane.publish([someRecord()], undefined)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    await expect(lane.whenWritable(AbortSignal.timeout(1))).rejects.toMatchObject({ code: 'ABORTED' });
    const writable = lane.whenWritable(undefined);
    await producer.letGo();
    await Promise.all([large, writable]);
    const small = lane.publish([someRecord()], undefined);
    await producer.letGo();
    await small;
  });

  test('a publish that is given up before its turn is not written, and frees its room', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer, { maximumWaitingBytes: 2_000 });
    const first = lane.publish([someRecord()], undefined);
    await expect.poll(() => producer.groups.length).toBe(1);
    const giveUp = new AbortController();
    const second = lane.publish([someRecord(1_000)], giveUp.signal);
    const third = lane.publish([someRecord(100)], giveUp.signal);
    await expect(lane.publish([someRecord(1_000)], undefined)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    giveUp.abort();
    for (const given of [second, third]) await expect(given).rejects.toMatchObject({ code: 'ABORTED' });
    const fourth = lane.publish([someRecord(1_000)], giveUp.signal.aborted ? undefined : giveUp.signal);
    await producer.letGo();
    await producer.letGo();
    await Promise.all([first, fourth]);
    expect(producer.groups).toEqual([[1], [1]]);
  });

  test('a publish that was given up before it came is not written: it may have waited elsewhere', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer);
    await expect(lane.publish([someRecord()], AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    await lane.close();
    expect(producer.groups).toEqual([]);
  });

  test('an abort while it is being written changes nothing', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer);
    const giveUp = new AbortController();
    const published = lane.publish([someRecord()], giveUp.signal);
    await expect.poll(() => producer.groups.length).toBe(1);
    giveUp.abort();
    await producer.letGo();
    expect(await published).toEqual([{ partition: 0, offset: 0 }]);
  });

  test('lingers for others, but not for longer than it takes to fill a group', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer, { lingerMs: 1_000_000 });
    const first = lane.publish([someRecord(mebibyte)], undefined);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(producer.groups).toEqual([]);
    const rest = Array.from({ length: 7 }, () => lane.publish([someRecord(mebibyte)], undefined));
    await producer.letGo();
    await producer.letGo();
    await Promise.all([first, ...rest]);
    // Each is a batch of its own, because a batch holds a mebibyte; what the group could not take any more goes next.
    expect(producer.groups).toEqual([[1, 1, 1, 1, 1, 1, 1], [1]]);
  });

  test('closing settles what is being written, and refuses what waits and what comes', async () => {
    const producer = new HeldProducer();
    const lane = laneOf(producer);
    const first = lane.publish([someRecord()], undefined);
    await expect.poll(() => producer.groups.length).toBe(1);
    const second = lane.publish([someRecord()], undefined);
    const closing = lane.close();
    await expect(second).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    await expect(lane.publish([someRecord()], undefined)).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    await expect(lane.whenWritable(undefined)).rejects.toMatchObject({ code: 'QUEUE_CLOSED' });
    await producer.letGo();
    await Promise.all([first, closing, lane.close()]);
    expect(producer.groups).toEqual([[1]]);
  });
});
