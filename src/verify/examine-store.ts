import type { Cursor } from '../domain/cursor.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import { countCursor, emptyTotals, type StoreTotals, totalCounts } from '../domain/totals.ts';
import type { CopySource } from '../ports/copy-source.ts';
import { mostNamed } from './compare-sessions.ts';
import { attempts, sessionsAtOnce } from './compare-stores.ts';
import { isDamage } from './damage.ts';
import { examineSession } from './examine-session.ts';
import type { Finding } from './finding.ts';
import { inOrder } from './in-order.ts';

export interface ExaminationOptions {
  /** What the store counts; read before its sessions. Undefined where it may change meanwhile. */
  readonly totals: StoreTotals | undefined;
  /** Ends the examination between two sessions with `ABORTED`. */
  readonly signal: AbortSignal;
  /** Told how many sessions are done. */
  readonly onProgress: (sessions: number) => void;
  /** Told what is found, in the order of the sessions' ids. */
  readonly onFinding: (finding: Finding) => Promise<void>;
}

export interface Examination {
  readonly sessions: number;
  readonly findings: number;
}

/** A session as of one moment, and what was found of it. */
interface Examined {
  readonly cursor: Cursor | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Reads a store whole and looks whether it is right in itself: documents are what they have to be, counts count what is
 * there, and the rule, applied anew to what waits, lets it wait. Throws `VIEW_EXPIRED`, `ABORTED`.
 */
export async function examineStore(store: CopySource, options: ExaminationOptions): Promise<Examination> {
  const counted = emptyTotals();
  const counts = { sessions: 0, findings: 0 };
  for await (const { cursor, findings } of inOrder(store.sessions(), sessionsAtOnce, (id) => examine(id, store))) {
    if (options.signal.aborted) throw new PersistenceError('ABORTED', `interrupted after ${counts.sessions} sessions`);
    if (cursor !== undefined) countCursor(counted, cursor, 1);
    for (const finding of findings) await options.onFinding(finding);
    counts.sessions += 1;
    counts.findings += findings.length;
    options.onProgress(counts.sessions);
  }
  for (const total of options.totals === undefined ? [] : totalCounts) {
    const told = options.totals?.[total];
    // Decisions are told by no cursor.
    if (total === 'decisions' || told === counted[total]) continue;
    const detail = `the store counts ${told}, and ${counted[total]} are there`;
    await options.onFinding({ kind: 'miscounted', session: undefined, part: 'store', item: total, detail });
    counts.findings += 1;
  }
  return counts;
}

async function examine(session: SessionId, store: CopySource): Promise<Examined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await using read = await store.open(session);
      if (read === undefined) return { cursor: undefined, findings: [] };
      const findings: Finding[] = [];
      for await (const finding of examineSession(read)) {
        findings.push({ session, ...finding });
        if (findings.length === mostNamed) break;
      }
      return { cursor: await read.cursor(), findings };
    } catch (error) {
      if (isDamage(error)) {
        const detail = error.message;
        return {
          cursor: undefined,
          findings: [{ session, kind: 'damaged', part: 'session', item: undefined, detail }],
        };
      }
      if (!isPersistenceError(error, 'VIEW_EXPIRED') || attempt === attempts) throw error;
    }
  }
}
