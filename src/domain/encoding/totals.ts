import { deadLetterReasons } from '../plan.ts';
import { emptyTotals, type StoreTotals, totalCounts } from '../totals.ts';
import { readRecord } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

const formatVersion = 1;
const usualBytes = 128;

/**
 * Totals as bytes: format version; the counts in the order of `totalCounts`; then reason, as text, and count of the
 * dead letters. Throws a TypeError on a count below 0: the plans that led there were not those of this store.
 */
export function encodeTotals(totals: StoreTotals): Uint8Array {
  const out = new ByteWriter(usualBytes);
  out.byte(formatVersion);
  for (const name of totalCounts) writeCount(out, name, totals[name]);
  out.varint(deadLetterReasons.length);
  for (const reason of deadLetterReasons) {
    out.text(reason);
    writeCount(out, reason, totals.deadLetters[reason]);
  }
  return out.finish();
}

/** The totals that {@link encodeTotals} wrote. Throws `STORE_CORRUPT`. */
export function decodeTotals(bytes: Uint8Array): StoreTotals {
  return readRecord('record of totals', formatVersion, bytes, (reader) => {
    const totals = emptyTotals();
    for (const name of totalCounts) totals[name] = reader.varint();
    reader.list(() => {
      const text = reader.text();
      const reason = deadLetterReasons.find((known) => known === text);
      if (reason === undefined) throw new RangeError(`reason ${text}`);
      totals.deadLetters[reason] = reader.varint();
    });
    return totals;
  });
}

function writeCount(out: ByteWriter, name: string, count: number): void {
  if (count < 0) throw new TypeError(`the total ${name} would be ${count}`);
  out.varint(count);
}
