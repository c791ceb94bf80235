import type { WaitingRecord } from '../publishes.ts';
import type { JobEvent } from './job-events.ts';

/** An event as it waits to be written, with about how many bytes it takes. */
export interface WaitingEvent {
  readonly event: JobEvent;
  readonly length: number;
}

/** What becomes one job. */
export interface EventBatch {
  readonly shard: number;
  readonly events: JobEvent[];
  /** Which of the records these are. */
  readonly records: number[];
}

/** A job is parsed in one go. */
const mostEvents = 4_096;

/** Puts records into batches of one shard each, keeping the order of each shard. */
export function batchEvents(
  records: readonly WaitingRecord<WaitingEvent>[],
  batchBytes: number,
): readonly EventBatch[] {
  const batches: EventBatch[] = [];
  const filling = new Map<number, { readonly batch: EventBatch; bytes: number }>();
  for (const [index, { partition: shard, body }] of records.entries()) {
    let last = filling.get(shard);
    const isFull =
      last !== undefined && (last.bytes + body.length > batchBytes || last.batch.events.length >= mostEvents);
    if (last === undefined || isFull) {
      last = { batch: { shard, events: [], records: [] }, bytes: 0 };
      batches.push(last.batch);
      filling.set(shard, last);
    }
    last.batch.events.push(body.event);
    last.batch.records.push(index);
    last.bytes += body.length;
  }
  return batches;
}
