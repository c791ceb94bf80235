import { PersistenceError } from '../../domain/errors.ts';
import type { PartitionBounds, QueuedDelivery, ReplayOptions, ReplayStart } from '../../ports/queue.ts';
import type { JobDelivery } from './job-delivery.ts';
import type { ShardReader } from './shard-reader.ts';

export interface ReplayParts {
  /** What waited when the replay was begun. */
  readonly bounds: Promise<readonly PartitionBounds[]>;
  readonly openReader: (shard: number) => Promise<ShardReader>;
  /** Aborted when the queue is being closed. */
  readonly closing: AbortSignal;
}

/** Everything that is held, shard by shard, up to where each of them ends when it is begun, or is to end. */
export async function* replayShards(
  { bounds: waiting, openReader, closing }: ReplayParts,
  { from, ends, before = Number.POSITIVE_INFINITY, limits, signal }: ReplayOptions,
): AsyncGenerator<readonly QueuedDelivery[]> {
  const refuseGivenUp = (): void => {
    if (closing.aborted) throw new PersistenceError('QUEUE_CLOSED', 'the queue was closed');
    if (signal?.aborted) throw new PersistenceError('ABORTED', 'the replay was given up');
  };
  for (const [shard, bounds] of (await waiting).entries()) {
    const end = Math.min(bounds.end, ends?.get(shard) ?? bounds.end);
    await using reader = await openReader(shard);
    await start(reader, from?.get(shard));
    let waiting: readonly JobDelivery[] = [];
    let isOver = false;
    for (;;) {
      refuseGivenUp();
      if (waiting.length === 0 && reader.next < end && !isOver) {
        const read = await reader.read();
        const over = read.findIndex(({ position, time }) => position.offset >= end || time >= before);
        isOver = over !== -1;
        waiting = isOver ? read.slice(0, over) : read;
      }
      const batch = within(waiting, limits.deliveries, limits.bytes);
      if (batch.length === 0) break;
      waiting = waiting.slice(batch.length);
      yield batch;
    }
  }
}

async function start(reader: ShardReader, from: ReplayStart | undefined): Promise<void> {
  if (from?.digest === undefined) await reader.startAt(from?.next);
  else await reader.startBehind({ next: from.next, digest: from.digest });
}

/** As many as fit, one at least. */
function within(waiting: readonly JobDelivery[], most: number, mostBytes: number): readonly JobDelivery[] {
  let bytes = 0;
  const end = waiting.slice(0, most).findIndex((delivery, index) => {
    bytes += delivery.bytes;
    return bytes > mostBytes && index > 0;
  });
  return waiting.slice(0, end === -1 ? most : end);
}
