import type { Cursor } from '../../domain/cursor.ts';
import { encodeCursor } from '../../domain/encoding/cursor.ts';
import { decodeFiled } from '../../domain/encoding/filed.ts';
import { encodeTotals } from '../../domain/encoding/totals.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { countCursor, countFiled, emptyTotals, type StoreTotals } from '../../domain/totals.ts';
import { cursorKey, kindRange, totalsKey } from '../../embedded-store/record-keys.ts';
import type { RocksDatabase } from './database.ts';
import { Operations } from './packing.ts';
import { RocksdbRecords } from './rocksdb-records.ts';
import { type FoundSession, survey } from './survey.ts';

/** Cursors that are written together. */
const cursorsAtOnce = 1_000;

/**
 * Makes the cursors say what lies in upstream's families, and counts everything anew. Sessions without a cursor get one
 * of epoch 0, no writer, nothing numbered yet; one that is there keeps its numbers and takes the log as it is now. Done
 * again after an interruption it changes nothing that is done.
 */
export async function adopt(database: RocksDatabase): Promise<StoreTotals> {
  const totals = emptyTotals();
  const operations = new Operations();
  for await (const found of survey(database)) {
    const cursor = adopted(found);
    if (cursor === undefined) continue;
    countCursor(totals, cursor, 1);
    if (cursor === found.cursor) continue;
    operations.put('default', cursorKey(found.session), encodeCursor(cursor));
    if (operations.count < cursorsAtOnce) continue;
    await database.write(operations);
    operations.clear();
  }
  for await (const page of new RocksdbRecords(database).pages(kindRange('filed'))) {
    for (const [, record] of page) countFiled(totals, decodeFiled(record));
  }
  operations.put('default', totalsKey, encodeTotals(totals));
  await database.write(operations);
  return totals;
}

/** Throws `STORE_CHANGED_ELSEWHERE`, which names a session, where a cursor does not say what lies in upstream's families. */
export async function assertUnchanged(database: RocksDatabase, directory: string): Promise<void> {
  let changed: FoundSession | undefined;
  let others = -1;
  for await (const found of survey(database)) {
    if (adopted(found) === found.cursor) continue;
    changed ??= found;
    others += 1;
  }
  if (changed === undefined) return;
  const more = others === 0 ? '' : ` (and ${others} more)`;
  throw new PersistenceError(
    'STORE_CHANGED_ELSEWHERE',
    `macp-runtime, or something else, wrote to ${directory} after this project did: session ${JSON.stringify(changed.session)}${more} ` +
      `${difference(changed)}. Open it once with --adopt-changes to take it as it is now, or put a backup in its place`,
  );
}

/** The cursor that the session ought to have: the very one that it has where that is right already. */
function adopted({ cursor, asItIs }: FoundSession): Cursor | undefined {
  if (cursor === undefined) return asItIs?.presence === 'known' ? asItIs : undefined;
  const { entries, compactionBase, hasReceipt, hasAnchor } = asItIs ?? nothing;
  const presence = asItIs?.presence === 'known' ? 'known' : presenceWithout(cursor);
  const isRight =
    presence === cursor.presence &&
    entries === cursor.entries &&
    compactionBase === cursor.compactionBase &&
    hasReceipt === cursor.hasReceipt &&
    hasAnchor === cursor.hasAnchor;
  if (isRight) return cursor;
  return { ...cursor, presence, entries, compactionBase, hasReceipt, hasAnchor, version: cursor.version + 1 };
}

const nothing = { entries: 0, compactionBase: 0, hasReceipt: false, hasAnchor: false } as const;

/** Where upstream has neither log nor snapshot: a session that had a log was deleted; of one that had none, nothing is known. */
function presenceWithout(cursor: Cursor): Cursor['presence'] {
  return cursor.presence === 'known' && cursor.entries > 0 ? 'deleted' : cursor.presence;
}

function difference({ cursor, asItIs }: FoundSession): string {
  if (cursor === undefined) return 'is unknown here';
  const entries = asItIs?.entries ?? 0;
  if (entries !== cursor.entries) return `has ${entries} log entries instead of ${cursor.entries}`;
  return 'is another one than it was left as';
}
