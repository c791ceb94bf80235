import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { PersistenceError } from '../../domain/errors.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { StoreIdentity } from '../../ports/store.ts';
import { identityKey, type Key } from './keys.ts';

export type Database = ClassicLevel<Key, Uint8Array>;
export type DatabaseSnapshot = ReturnType<Database['snapshot']>;

/** The layout that this code reads and writes; a later one adds here how it upgrades its predecessors. */
const layoutVersion = 1;

const mebibyte = 1024 * 1024;

/**
 * Measured (docs/decisions/0007-level-layout.md): a large write buffer is what makes synced batches fast, and twice
 * its size is the most memory that LevelDB takes; entries are half their size after Snappy, which leaves half as much
 * to compact.
 */
const tuning = {
  writeBufferSize: 24 * mebibyte,
  maxFileSize: 16 * mebibyte,
  cacheSize: 8 * mebibyte,
  blockSize: 16 * 1024,
  compression: true,
} as const;

const probeName = 'room-probe';

/** Opens the database in `directory`, which exists. Rejects with what the library threw. */
export type OpenDatabase = (directory: string) => Promise<Database>;

export const openClassicLevel: OpenDatabase = async (directory) => {
  const database: Database = new ClassicLevel(directory, { keyEncoding: 'view', valueEncoding: 'view', ...tuning });
  await database.open();
  return database;
};

/**
 * The identity of an open database; a new one is given a `newId` and keeps it. Throws `STORE_TOO_NEW`, or
 * `STORE_CORRUPT` when the database holds something but no identity: then it is not one of ours.
 */
export async function settleIdentity(
  database: Database,
  directory: string,
  newId: () => string,
): Promise<StoreIdentity> {
  const stored = await database.get(identityKey);
  if (stored !== undefined) return readIdentity(stored, directory);
  if ((await database.keys({ limit: 1 }).all()).length > 0) {
    throw new PersistenceError('STORE_CORRUPT', `${directory} holds a LevelDB database that is not a store of ours`);
  }
  const identity: StoreIdentity = { kind: 'level', id: newId(), layoutVersion };
  await database.put(identityKey, Buffer.from(JSON.stringify(identity), 'utf8'), { sync: true });
  return identity;
}

/**
 * Proves that there is room for `bytes` more in `directory`, by writing and syncing a file of that size and removing
 * it. Rejects with what the operating system says.
 */
export async function probeRoom(files: FileSystem, directory: string, bytes: number): Promise<void> {
  try {
    const file = await files.open(join(directory, probeName), 'create');
    try {
      const block = Buffer.alloc(mebibyte, 0x55);
      for (let at = 0; at < bytes; at += block.length) await file.write(block, at);
      await file.datasync();
    } finally {
      await file.close();
    }
  } finally {
    await removeProbe(files, directory);
  }
}

/** Removes what a probe left that was interrupted. */
export async function removeProbe(files: FileSystem, directory: string): Promise<void> {
  try {
    await files.remove(join(directory, probeName));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function readIdentity(stored: Uint8Array, directory: string): StoreIdentity {
  const { id, layoutVersion: version } = parseIdentity(stored, directory);
  if (version > layoutVersion) {
    throw new PersistenceError(
      'STORE_TOO_NEW',
      `${directory} has layout version ${version}; this release knows ${layoutVersion}`,
    );
  }
  return { kind: 'level', id, layoutVersion: version };
}

function parseIdentity(stored: Uint8Array, directory: string): { id: string; layoutVersion: number } {
  const text = Buffer.from(stored).toString('utf8');
  try {
    const { kind, id, layoutVersion: version } = JSON.parse(text);
    if (kind === 'level' && typeof id === 'string' && Number.isSafeInteger(version) && version >= 1) {
      return { id, layoutVersion: version };
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new PersistenceError('STORE_CORRUPT', `${directory} holds an identity that cannot be read: ${text}`);
}
