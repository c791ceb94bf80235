import { encodeCursor } from '../domain/encoding/cursor.ts';
import { encodeFiled } from '../domain/encoding/filed.ts';
import { encodeParkedCommand, encodeParkedHeader } from '../domain/encoding/parked.ts';
import { encodeStoredPosition } from '../domain/encoding/position.ts';
import { encodeTotals } from '../domain/encoding/totals.ts';
import type { FiledRecord, Plan, SessionChange } from '../domain/plan.ts';
import type { StoreTotals } from '../domain/totals.ts';
import { cursorKey, filedKey, type Key, parkedKey, positionKey, totalsKey } from './record-keys.ts';

/** Takes the operations of one atomic step. */
export interface Batch {
  put(key: Key, value: Uint8Array): void;
  del(key: Key): void;
}

/** Puts what a change does to a store's own records into `batch`: everything but log, snapshot, receipt and anchor. */
export function writeSessionRecords(batch: Batch, change: SessionChange): void {
  writeParked(batch, change);
  for (const record of change.filed) writeFiled(batch, record);
  batch.put(cursorKey(change.session), encodeCursor(change.after));
}

/** Puts what a plan says of no session, and the totals where they changed, into `batch`. */
export function writeStoreRecords(batch: Batch, plan: Plan, totals: StoreTotals | undefined): void {
  for (const letter of plan.unreadable) writeFiled(batch, letter);
  for (const { source, partition, to } of plan.positions) {
    batch.put(positionKey(source, partition), encodeStoredPosition(to));
  }
  if (totals !== undefined) batch.put(totalsKey, encodeTotals(totals));
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
