import { type OpenDatabase, openTuned } from '../../level/database.ts';

const mebibyte = 1024 * 1024;

/**
 * Measured (docs/decisions/0007-level-layout.md): a large write buffer is what makes synced batches fast, and twice
 * its size is the most memory that LevelDB takes; entries are half their size after Snappy, which leaves half as much
 * to compact.
 */
const tuning = {
  writeBufferSize: 24 * mebibyte,
  maxFileSize: 32 * mebibyte,
  cacheSize: 8 * mebibyte,
  blockSize: 16 * 1024,
  compression: true,
} as const;

/** A copy is written in order and then closed: a small buffer is as fast, and it comes on top of the store's own. */
const backupTuning = { ...tuning, writeBufferSize: 4 * mebibyte, cacheSize: mebibyte } as const;

export const openClassicLevel: OpenDatabase = (directory) => openTuned(directory, tuning);

/** Opens the database of a backup that is being written. */
export const openBackupDatabase: OpenDatabase = (directory) => openTuned(directory, backupTuning);
