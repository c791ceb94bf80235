import type { Digest } from '../../domain/digest.ts';
import type { StoredPosition } from '../../domain/plan.ts';
import type { PartitionBounds } from '../../ports/queue.ts';
import { recordOffset, recordPartition } from '../../segments/frame.ts';
import type { RecordReader } from '../../segments/record-reader.ts';
import { noRecord } from '../../segments/segment.ts';
import type { Place, Segment, Segments } from '../../segments/segments.ts';
import { lostHistory } from '../lost-history.ts';
import { recordDigest } from './record.ts';

/** Where a partition goes on: no record of it from `next` on stands before `place`. */
export interface Start {
  readonly next: number;
  readonly place: Place;
  /** Digest of the record before `next`. */
  readonly digest: Digest;
}

type OpenReader = (from: Place) => RecordReader;

/**
 * Finds the places of held offsets (by partition), reading no more than one segment a partition. `ends` must be those
 * of the moment of the call: what becomes durable while places are looked up stands behind them.
 */
export async function findStarts(
  segments: Segments,
  ends: readonly number[],
  wanted: ReadonlyMap<number, number>,
  openReader: OpenReader,
): Promise<ReadonlyMap<number, Start>> {
  const { end } = segments;
  const starts = new Map<number, Start>();
  const searches = new Map<Segment, Map<number, number>>();
  for (const [partition, next] of wanted) {
    const segment = segments.holding(partition, next);
    if (segment === undefined || next > (ends[partition] ?? 0)) continue;
    if (segment.header.next[partition] === next) {
      const place = next === ends[partition] ? end : segments.startOf(segment);
      starts.set(partition, { next, place, digest: segment.header.digests[partition] ?? noRecord });
    } else {
      searches.set(segment, (searches.get(segment) ?? new Map<number, number>()).set(partition, next));
    }
  }
  for (const [segment, offsets] of searches) {
    await using reader = openReader(segments.startOf(segment));
    await search(reader, end, ends, offsets, starts);
  }
  return starts;
}

async function search(
  reader: RecordReader,
  end: Place,
  ends: readonly number[],
  offsets: Map<number, number>,
  starts: Map<number, Start>,
): Promise<void> {
  while (offsets.size > 0) {
    const frame = await reader.next();
    if (frame === undefined) throw reader.damage('less than its header says: an end');
    const partition = recordPartition(frame.bytes, frame.start);
    const next = offsets.get(partition);
    if (next === undefined || recordOffset(frame.bytes, frame.start) !== next - 1) continue;
    offsets.delete(partition);
    const place = next === ends[partition] ? end : reader.place;
    starts.set(partition, { next, place, digest: recordDigest(frame) });
  }
}

/** Throws `SOURCE_LOST_HISTORY` unless the queue still holds the record before `stored.next`, with the same digest. */
export function verifyStart(
  partition: number,
  stored: StoredPosition,
  start: Start | undefined,
  held: PartitionBounds,
): void {
  if (start?.digest !== stored.digest) throw lostHistory(partition, stored.next, held, start !== undefined);
}
