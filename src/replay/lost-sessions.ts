import type { Content } from '../domain/delivery.ts';
import type { Epoch, Sequence, SessionId } from '../domain/identifiers.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { PartitionBounds, ReplaySource, TakeLimits } from '../ports/queue.ts';
import { type Selection, selects } from './selection.ts';

const firstSequence = 1 as Sequence;
const firstEpoch = 1 as Epoch;

/** Partitions whose first commands are gone, and of which a store holds nothing. */
export function lostBeginnings(
  bounds: ReadonlyMap<number, PartitionBounds>,
  stored: ReadonlyMap<number, StoredPosition>,
): readonly number[] {
  return [...bounds].flatMap(([partition, { start }]) => (start > 0 && !stored.has(partition) ? [partition] : []));
}

export interface LostSessionsOptions {
  readonly source: ReplaySource;
  readonly bounds: ReadonlyMap<number, PartitionBounds>;
  readonly limits: TakeLimits;
  readonly selection: Selection | undefined;
  readonly signal: AbortSignal;
}

/**
 * The sessions of a partition of which later commands are held, and the first ones are not. Those of which nothing is
 * held are known to nobody. Reads the whole partition; remembers the ids of its sessions, and nothing else of them.
 */
export async function* lostSessions(partition: number, options: LostSessionsOptions): AsyncGenerator<SessionId> {
  const { source, bounds, limits, selection, signal } = options;
  const ends = new Map([...bounds].map(([each, { start, end }]) => [each, each === partition ? end : start]));
  const begun = new Set<SessionId>();
  for await (const batch of source.replay({ ends, limits, signal })) {
    for (const delivery of batch) {
      if (delivery.isPassed === true) continue;
      const { session } = delivery.content;
      if (session === undefined || begun.has(session)) continue;
      if (selection !== undefined && !selects(selection, session)) continue;
      const beginning = beginningOf(delivery.content);
      if (beginning === 'untold') continue;
      begun.add(session);
      if (beginning === 'lost') yield session;
    }
  }
}

/** What the first command that is held of a session tells of those before it. */
function beginningOf(content: Content): 'whole' | 'lost' | 'untold' {
  switch (content.kind) {
    case 'numbered':
      return content.sequence === firstSequence ? 'whole' : 'lost';
    case 'claim':
      // A writer claims a session that nobody has begun as well.
      return content.epoch === firstEpoch ? 'untold' : 'lost';
    case 'skip':
      return 'lost';
    case 'unreadable':
      return 'untold';
  }
}
