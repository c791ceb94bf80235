import { type Database, openTuned } from '../../level/database.ts';

const mebibyte = 1024 * 1024;

/** Cursors and places in logs are small, and written often: the logs themselves lie in files. */
const tuning = {
  writeBufferSize: 12 * mebibyte,
  maxFileSize: 8 * mebibyte,
  cacheSize: 8 * mebibyte,
  blockSize: 16 * 1024,
  compression: true,
  maxOpenFiles: 200,
} as const;

/** Opens the database of our records. Rejects with what the library threw. */
export function openRecords(directory: string): Promise<Database> {
  return openTuned(directory, tuning);
}

/** No record has this key. */
const behindAll = Buffer.of(0xff);

/**
 * Makes everything that was written durable. LevelDB begins another log when a buffer is full and does not sync the one
 * before, so a synced write would not do: what is in memory goes into a table, which is synced. Rejects when that failed:
 * LevelDB's compaction does not say so itself, but then refuses every later write.
 */
export async function flush(database: Database): Promise<void> {
  await database.compactRange(behindAll, behindAll);
  await database.del(behindAll);
}
