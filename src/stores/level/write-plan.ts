import { encodeCursor } from '../../domain/encoding/cursor.ts';
import { encodeFiled } from '../../domain/encoding/filed.ts';
import { encodeParkedCommand, encodeParkedHeader } from '../../domain/encoding/parked.ts';
import { encodeStoredPosition } from '../../domain/encoding/position.ts';
import { encodeTotals } from '../../domain/encoding/totals.ts';
import type { FiledRecord, Plan, Replacement, SessionChange } from '../../domain/plan.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import { firstOrdinal } from '../plan-checks.ts';
import type { Batch, ReusedBatch } from './batch.ts';
import { encodeGarbage } from './garbage.ts';
import { EntryKeys, filedKey, garbageKey, parkedKey, positionKey, sessionKey, totalsKey } from './keys.ts';

/**
 * Puts plan and changed totals into the empty `batch`; when something in them cannot be written, it is left empty.
 * Returns how many generations became garbage.
 */
export function fillBatch(batch: ReusedBatch, plan: Plan, totals: StoreTotals | undefined): number {
  try {
    if (totals !== undefined) batch.put(totalsKey, encodeTotals(totals));
    return writePlan(batch, plan);
  } catch (error) {
    batch.clear();
    throw error;
  }
}

/** Writes everything that `plan` says into `batch`. Returns how many generations became garbage. */
function writePlan(batch: Batch, plan: Plan): number {
  let garbage = 0;
  for (const change of plan.changes) {
    if (writeLog(batch, change)) garbage += 1;
    writeReplacement(batch, 'snapshot', change, change.snapshot);
    writeReplacement(batch, 'receipt', change, change.receipt);
    writeReplacement(batch, 'anchor', change, change.anchor);
    writeParked(batch, change);
    for (const record of change.filed) writeFiled(batch, record);
    batch.put(sessionKey('cursor', change.session), encodeCursor(change.after));
  }
  for (const letter of plan.unreadable) writeFiled(batch, letter);
  for (const { source, partition, to } of plan.positions) {
    batch.put(positionKey(source, partition), encodeStoredPosition(to));
  }
  return garbage;
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

function writeReplacement(
  batch: Batch,
  kind: 'snapshot' | 'receipt' | 'anchor',
  { session }: SessionChange,
  replacement: Replacement | undefined,
): void {
  if (replacement === undefined) return;
  const key = sessionKey(kind, session);
  if (replacement === 'remove') batch.del(key);
  else batch.put(key, replacement);
}

function writeParked(batch: Batch, { session, parked, unparked }: SessionChange): void {
  for (const sequence of unparked) {
    batch.del(parkedKey('parkedHeader', session, sequence));
    batch.del(parkedKey('parkedCommand', session, sequence));
  }
  for (const command of parked) {
    batch.put(parkedKey('parkedHeader', session, command.sequence), encodeParkedHeader(command));
    batch.put(parkedKey('parkedCommand', session, command.sequence), encodeParkedCommand(command));
  }
}

function writeFiled(batch: Batch, record: FiledRecord): void {
  batch.put(filedKey(record.session, record.id), encodeFiled(record));
}
