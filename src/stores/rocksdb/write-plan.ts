import type { Plan, Replacement, SessionChange } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import type { Key } from '../../embedded-store/record-keys.ts';
import { type Batch, writeSessionRecords, writeStoreRecords } from '../../embedded-store/write-records.ts';
import { firstOrdinal } from '../plan-checks.ts';
import type { RocksDatabase } from './database.ts';
import type { Family } from './families.ts';
import { anchorKey, documentKey, EntryKeys, entryKey, logEnd } from './keys.ts';
import type { Operations } from './packing.ts';

/** Up to so many entries are removed one by one: a range that was removed is looked at by later reads nearby. */
const removedOneByOne = 64;

/**
 * Puts plan and changed totals into the empty `operations`; when something in them cannot be written, they are left
 * empty. Returns whether they write into the family of receipts.
 */
export function fillOperations(
  operations: Operations,
  plan: Plan,
  totals: StoreTotals | undefined,
  { hasReceipts }: Pick<RocksDatabase, 'hasReceipts'>,
): boolean {
  try {
    const ours = ownRecords(operations);
    let writesReceipts = false;
    for (const change of plan.changes) {
      writeLog(operations, change);
      write(operations, 'sessions', documentKey(change.session), change.snapshot);
      if (storesReceipt(change)) writesReceipts = true;
      if (hasReceipts || storesReceipt(change)) {
        write(operations, 'receipts', documentKey(change.session), change.receipt);
        write(operations, 'receipts', anchorKey(change.session), change.anchor);
      }
      writeSessionRecords(ours, change);
    }
    writeStoreRecords(ours, plan, totals);
    return writesReceipts;
  } catch (error) {
    operations.clear();
    throw error;
  }
}

/** Takes our own records. */
function ownRecords(operations: Operations): Batch {
  return {
    put: (key, value) => operations.put('default', key, value),
    del: (key) => operations.remove('default', key),
  };
}

function storesReceipt({ receipt, anchor }: SessionChange): boolean {
  return [receipt, anchor].some((replacement) => replacement !== undefined && replacement !== 'remove');
}

/** A log that is replaced begins at 0 again: what its new entries do not write over is removed. */
function writeLog(operations: Operations, { session, before, log }: SessionChange): void {
  if (log === undefined) return;
  const first = firstOrdinal(before, log.reset);
  if (log.reset) removeEntries(operations, session, log.entries.length, before?.entries ?? 0);
  if (log.entries.length === 0) return;
  const keys = new EntryKeys(session);
  log.entries.forEach((entry, index) => {
    operations.put('logs', keys.at(first + index), entry);
  });
}

function removeEntries(operations: Operations, session: SessionChange['session'], from: number, to: number): void {
  if (to - from > removedOneByOne) {
    operations.removeRange('logs', entryKey(session, from), logEnd(session));
    return;
  }
  const keys = new EntryKeys(session);
  for (let ordinal = from; ordinal < to; ordinal += 1) operations.remove('logs', keys.at(ordinal));
}

function write(operations: Operations, family: Family, key: Key, replacement: Replacement | undefined): void {
  if (replacement === undefined) return;
  if (replacement === 'remove') operations.remove(family, key);
  else operations.put(family, key, replacement);
}
