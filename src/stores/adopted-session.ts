import { type Cursor, initialCursor } from '../domain/cursor.ts';
import { type CheckedData, checkDocument } from '../domain/documents/check-data.ts';
import type { SessionId } from '../domain/identifiers.ts';

/** A session that upstream wrote, read entry by entry: what its cursor is, once it is adopted. */
export class AdoptedSession {
  readonly session: SessionId;
  #entries = 0;
  #compactionBase = 0;
  #largestEntry = 0;

  constructor(session: SessionId) {
    this.session = session;
  }

  /** How many entries were added. */
  get entries(): number {
    return this.#entries;
  }

  /** Bytes of the largest entry. */
  get largestEntry(): number {
    return this.#largestEntry;
  }

  /** Takes the log's next entry; says what it is, and what is wrong with it. */
  add(entry: Uint8Array): CheckedData {
    const checked = checkDocument('entry', this.session, entry);
    this.#entries += 1;
    this.#compactionBase = Math.max(this.#compactionBase, checked.facts.compactionBase);
    this.#largestEntry = Math.max(this.#largestEntry, entry.length);
    return checked;
  }

  /** Epoch 0, no writer, nothing numbered yet (design: stores adopted from upstream). */
  cursor(has: Pick<Cursor, 'hasReceipt' | 'hasAnchor'>): Cursor {
    const { hasReceipt, hasAnchor } = has;
    return {
      ...initialCursor,
      presence: 'known',
      entries: this.#entries,
      compactionBase: this.#compactionBase,
      hasReceipt,
      hasAnchor,
    };
  }
}
