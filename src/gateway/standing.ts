import type { Cursor } from '../domain/cursor.ts';
import type { Write } from './operations.ts';

/** What Redis would count of a session's keys, as of the last of its writes that is durable. */
export interface Standing {
  /** True for a member of the set of all sessions. */
  readonly exists: boolean;
  readonly entries: number;
  readonly hasReceipt: boolean;
}

export const absent: Standing = Object.freeze({ exists: false, entries: 0, hasReceipt: false });

export function standingOf({ presence, entries, hasReceipt }: Cursor): Standing {
  return presence === 'known' ? { exists: true, entries, hasReceipt } : absent;
}

/** How a session stands after `write`. */
export function standingAfter(standing: Standing, write: Write): Standing {
  switch (write.kind) {
    case 'create':
    case 'save':
      return { ...standing, exists: true };
    case 'anchor':
      return standing;
    case 'append':
      return { ...standing, exists: true, entries: standing.entries + 1 };
    case 'receipt':
      return { ...standing, hasReceipt: true };
    case 'replace':
      return { ...standing, exists: true, entries: write.pushes.flat().length };
    case 'delete':
      return absent;
  }
}
