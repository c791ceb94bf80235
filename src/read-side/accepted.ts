import { PersistenceError } from '../domain/errors.ts';
import type { AcceptedEntry } from '../ports/service.ts';
import type { SessionView } from '../ports/store.ts';

/**
 * The `Incoming` entries of a session's log with ordinals above `after`: upstream's `get_incoming_after`
 * (macp-storage 0.13.0, `log_store.rs`; RFC-MACP-0006, 3.2). Internal and Checkpoint entries take no ordinal; the
 * entries that are left count on from the compaction base. Throws `BELOW_COMPACTION_BASE` when `after` lies below it.
 */
export async function* incomingAfter(view: SessionView, after: number): AsyncGenerator<AcceptedEntry> {
  for await (const page of incomingPagesAfter(view, after)) yield* page;
}

/** The same in the pages of the log; none of them is empty. */
export async function* incomingPagesAfter(view: SessionView, after: number): AsyncGenerator<readonly AcceptedEntry[]> {
  const base = view.cursor.compactionBase;
  if (after < base) {
    throw new PersistenceError(
      'BELOW_COMPACTION_BASE',
      `accepted messages up to ${base} were compacted away: ask for those after ${base} or later, not after ${after}`,
    );
  }
  let ordinal = base;
  for await (const page of view.log()) {
    const accepted: AcceptedEntry[] = [];
    for (const entry of page) {
      if (!isIncoming(entry)) continue;
      ordinal += 1;
      if (ordinal > after) accepted.push({ ordinal, entry });
    }
    if (accepted.length > 0) yield accepted;
  }
}

function isIncoming(entry: Uint8Array): boolean {
  const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  const document: { readonly entry_kind?: unknown } = JSON.parse(bytes.toString('utf8'));
  return document.entry_kind === 'Incoming';
}
