import type { Difference } from './difference.ts';
import { EntryWindow, lookAhead } from './entry-window.ts';
import { sameDocument } from './same-document.ts';

type LogDifference = Omit<Difference, 'session'>;
type Log = AsyncIterable<readonly Uint8Array[]>;

/**
 * Names the entries in which two logs differ, in order. An entry that only one log has does not make all that follow it
 * different: a few entries ahead are looked at.
 */
export async function* compareLogs(one: Log, other: Log): AsyncGenerator<LogDifference> {
  const [first, second] = [new EntryWindow(one), new EntryWindow(other)];
  try {
    for (;;) {
      const [inFirst, inSecond] = await Promise.all([first.hasNext(), second.hasNext()]);
      if (first.isBroken || second.isBroken) return yield* unreadable(first, second);
      if (!inFirst && !inSecond) return;
      if (sameEntry(first.at(0), second.at(0))) {
        first.drop(1);
        second.drop(1);
      } else {
        await Promise.all([first.look(), second.look()]);
        yield nextDifference(first, second);
      }
    }
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
}

/** What became of the next entries, which differ; goes on behind it. */
function nextDifference(first: EntryWindow, second: EntryWindow): LogDifference {
  const swapped = distanceOf(
    (ahead) => sameEntry(first.at(0), second.at(ahead)) && sameEntry(first.at(ahead), second.at(0)),
  );
  if (swapped !== undefined) {
    second.exchange(swapped);
    return entry(first.ordinal, 'swapped', `with entry ${first.ordinal + swapped}`);
  }
  const added = distanceOf((ahead) => sameEntry(first.at(ahead), second.at(0)));
  const removed = distanceOf((ahead) => sameEntry(first.at(0), second.at(ahead)));
  const isReplaced = sameEntry(first.at(1), second.at(1)) || (added === undefined && removed === undefined);
  if (first.at(0) !== undefined && second.at(0) !== undefined && isReplaced) {
    first.drop(1);
    second.drop(1);
    return entry(first.ordinal - 1, 'changed', undefined);
  }
  const longer = second.at(0) === undefined || (removed ?? Infinity) > (added ?? Infinity) ? first : second;
  longer.drop(1);
  return entry(longer.ordinal - 1, longer === first ? 'only in first' : 'only in second', undefined);
}

/** How many entries ahead something is found. */
function distanceOf(isThere: (ahead: number) => boolean): number | undefined {
  for (let ahead = 1; ahead <= lookAhead.entries; ahead += 1) if (isThere(ahead)) return ahead;
  return undefined;
}

function entry(item: number, relation: Difference['relation'], detail: string | undefined): LogDifference {
  return { part: 'entry', item, relation, detail };
}

/** False where one of them is not there. */
function sameEntry(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && sameDocument(one, other);
}

/** Nothing can be said of what follows in the other log. */
function* unreadable(first: EntryWindow, second: EntryWindow): Generator<LogDifference> {
  for (const [side, { damage, ordinal }] of [
    ['first', first],
    ['second', second],
  ] as const) {
    if (damage !== undefined) yield entry(ordinal, 'unreadable', `in the ${side} store: ${damage.message}`);
  }
}
