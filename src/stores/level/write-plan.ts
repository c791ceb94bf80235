import type { Plan, Replacement, SessionChange } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import { type Batch, writeSessionRecords, writeStoreRecords } from '../../embedded-store/write-records.ts';
import type { ReusedBatch } from '../../level/reused-batch.ts';
import { firstOrdinal } from '../plan-checks.ts';
import { encodeGarbage } from './garbage.ts';
import { documentKey, EntryKeys, garbageKey } from './keys.ts';

/**
 * Puts plan and changed totals into the empty `batch`; when something in them cannot be written, it is left empty.
 * Returns how many generations became garbage.
 */
export function fillBatch(batch: ReusedBatch, plan: Plan, totals: StoreTotals | undefined): number {
  try {
    let garbage = 0;
    for (const change of plan.changes) {
      if (writeLog(batch, change)) garbage += 1;
      writeDocument(batch, 'snapshot', change, change.snapshot);
      writeDocument(batch, 'receipt', change, change.receipt);
      writeDocument(batch, 'anchor', change, change.anchor);
      writeSessionRecords(batch, change);
    }
    writeStoreRecords(batch, plan, totals);
    return garbage;
  } catch (error) {
    batch.clear();
    throw error;
  }
}

/** Adds the entries; a reset leaves the old ones to the cleaner. True when it did. */
function writeLog(batch: Batch, { session, before, after, log }: SessionChange): boolean {
  if (log === undefined) return false;
  if (log.entries.length > 0) {
    const keys = new EntryKeys(session, after.generation);
    let ordinal = firstOrdinal(before, log.reset);
    for (const entry of log.entries) {
      batch.put(keys.at(ordinal), entry);
      ordinal += 1;
    }
  }
  if (!log.reset || before === undefined || before.entries === 0) return false;
  batch.put(garbageKey(session, before.generation), encodeGarbage(before.entries));
  return true;
}

function writeDocument(
  batch: Batch,
  kind: 'snapshot' | 'receipt' | 'anchor',
  { session }: SessionChange,
  replacement: Replacement | undefined,
): void {
  if (replacement === undefined) return;
  const key = documentKey(kind, session);
  if (replacement === 'remove') batch.del(key);
  else batch.put(key, replacement);
}
