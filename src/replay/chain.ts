import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { PartitionBounds, ReplaySource } from '../ports/queue.ts';
import { BoundedReplay, type BoundedReplayOptions, type ReplayEnd } from './bounded-replay.ts';
import { hasConsumed, positionsIn, type Standing } from './standing.ts';

/** One of several sources that a store is filled from one after another. */
export interface Link {
  readonly source: ReplaySource;
  /** What of it is replayed. */
  readonly replay: BoundedReplay;
  readonly bounds: ReadonlyMap<number, PartitionBounds>;
  readonly until: ReplayEnd;
}

export interface ChainOptions extends Omit<BoundedReplayOptions, 'bounds'> {
  /** Where the store stands that is to be filled, or what it is to be copied from first. */
  readonly standing: Standing;
  /** True to begin with what there is where what came before is gone. Default false: it is refused. */
  readonly acceptsNewQueue?: boolean | undefined;
}

/** What a source goes on from, oldest first, as far as a store lacks it, and then that source. It belongs to the caller. */
export class Chain implements AsyncDisposable {
  readonly earlier: readonly Link[];
  readonly last: Link;

  constructor(earlier: readonly Link[], last: Link) {
    this.earlier = earlier;
    this.last = last;
  }

  get first(): Link {
    return this.earlier[0] ?? this.last;
  }

  get links(): readonly Link[] {
    return [...this.earlier, this.last];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.earlier.map(({ source }) => source.close()));
  }
}

/**
 * Opens what the source goes on from, back to where the store stands, or to the very first. Throws
 * `SOURCE_LOST_HISTORY` where something between is gone, or lacks its end.
 */
export async function openChain(options: ChainOptions): Promise<Chain> {
  const { source, until } = options;
  const earlier: Link[] = [];
  const last = await linkOf(source, until, options);
  try {
    for (let first = last; !isReached(first, options.standing); ) {
      const before = await openBefore(first, options);
      if (before === undefined) break;
      earlier.unshift(before);
      first = before;
    }
    return new Chain(earlier, last);
  } catch (error) {
    await new Chain(earlier, last)[Symbol.asyncDispose]();
    throw error;
  }
}

async function linkOf(source: ReplaySource, until: ReplayEnd, options: ChainOptions): Promise<Link> {
  const bounds = await source.bounds();
  return { source, bounds, until, replay: new BoundedReplay({ ...options, source, bounds, until }) };
}

/** Whether the store lacks nothing from before the link. */
function isReached({ replay }: Link, standing: Standing): boolean {
  const { source, continues } = replay;
  return positionsIn(standing, source).size > 0 || continues === undefined || hasConsumed(standing, continues);
}

/** The link before; undefined where nothing of it may be held, or what is gone is accepted to be gone. */
async function openBefore(link: Link, options: ChainOptions): Promise<Link | undefined> {
  const { openPrevious, continues } = link.source;
  if (openPrevious === undefined || continues === undefined) return undefined;
  const source = await openPrevious().catch((error: unknown) => {
    if (options.acceptsNewQueue === true && isPersistenceError(error, 'SOURCE_LOST_HISTORY')) return undefined;
    throw error;
  });
  if (source === undefined) return undefined;
  try {
    const before = await linkOf(source, { offsets: continues.from, time: options.until.time }, options);
    if (options.acceptsNewQueue !== true) refuseShort(before, link);
    return before;
  } catch (error) {
    await source.close();
    throw error;
  }
}

function refuseShort({ source, bounds, until }: Link, next: Link): void {
  for (const [partition, from] of until.offsets ?? []) {
    const end = bounds.get(partition)?.end ?? 0;
    if (end >= from) continue;
    throw new PersistenceError(
      'SOURCE_LOST_HISTORY',
      `${next.source.source} goes on from ${source.source}, partition ${partition} from offset ${from} on, and what is ` +
        `kept of that ends at offset ${end}: restore what is missing of it, or begin with a store that has consumed that`,
    );
  }
}
