import { decodeTotals } from '../../domain/encoding/totals.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import { identityKey, type Key, totalsKey } from '../../embedded-store/record-keys.ts';
import type { StoreIdentity } from '../../ports/store.ts';
import { adopt, assertUnchanged } from './adopt.ts';
import type { RocksDatabase } from './database.ts';
import { Operations } from './packing.ts';

/** The layout that this code reads and writes. */
const layoutVersion = 1;

/**
 * The key of RocksDB's number of the last operation that a commit of ours wrote. Written with each of them: whoever
 * writes to the database after us leaves it behind (docs/decisions/0019-rocksdb-layout.md).
 */
const lastOperationKey: Key = Buffer.of(0x77);

/** What an open database says of itself. */
export interface Layout {
  readonly identity: StoreIdentity;
  readonly totals: StoreTotals;
}

/** The stored text, read: `adopting` while sessions that upstream wrote do not have their cursors yet. */
interface Inscription {
  readonly identity: StoreIdentity;
  readonly adopting: boolean;
}

export interface Settling {
  readonly directory: string;
  /** A fresh random UUID at every call. */
  readonly newId: () => string;
  /** Whether to take the store as it is where upstream wrote to it after us. */
  readonly adoptChanges: boolean;
}

/**
 * Identity and totals of an open database. A new one is given a `newId`; so is one that upstream wrote, whose sessions
 * are adopted. Interrupted at any point, it is done again. Throws `STORE_CHANGED_ELSEWHERE` where upstream wrote to a
 * store of ours, unless that is to be adopted, `STORE_TOO_NEW`, and `STORE_CORRUPT`.
 */
export async function settleLayout(database: RocksDatabase, settling: Settling): Promise<Layout> {
  const { identity, adopting } = await readInscription(database, settling);
  if (adopting) return finish(database, identity);
  if (await wasLastWrittenByUs(database)) return { identity, totals: await readTotals(database, settling.directory) };
  if (settling.adoptChanges) {
    await inscribe(database, { identity, adopting: true });
    return finish(database, identity);
  }
  await assertUnchanged(database, settling.directory);
  await inscribe(database, { identity, adopting: false });
  return { identity, totals: await readTotals(database, settling.directory) };
}

/** Makes the operations, to which nothing else is added, the last ones that were written by us. */
export function sign(operations: Operations, { sequence }: Pick<RocksDatabase, 'sequence'>): void {
  const last = sequence + operations.count + 1;
  operations.put('default', lastOperationKey, Buffer.from(String(last), 'utf8'));
}

async function finish(database: RocksDatabase, identity: StoreIdentity): Promise<Layout> {
  const totals = await adopt(database);
  await inscribe(database, { identity, adopting: false });
  return { identity, totals };
}

async function wasLastWrittenByUs(database: RocksDatabase): Promise<boolean> {
  const last = await database.get('default', lastOperationKey);
  return last !== undefined && Buffer.from(last).toString('utf8') === String(database.sequence);
}

async function readInscription(database: RocksDatabase, { directory, newId }: Settling): Promise<Inscription> {
  const stored = await database.get('default', identityKey);
  if (stored !== undefined) return parseInscription(stored, directory);
  await assertNothingOfOurs(database, directory);
  const inscription = { identity: { kind: 'rocksdb', id: newId(), layoutVersion }, adopting: true };
  await inscribe(database, inscription);
  return inscription;
}

async function assertNothingOfOurs(database: RocksDatabase, directory: string): Promise<void> {
  const snapshot = await database.takeSnapshot();
  try {
    const all = { family: 'default', from: Buffer.of(), to: Buffer.alloc(1_024, 0xff) } as const;
    const { records } = await database.records(all, { records: 1, bytes: 1 }, snapshot);
    if (records.length === 0) return;
  } finally {
    await database.releaseSnapshot(snapshot);
  }
  throw new PersistenceError('STORE_CORRUPT', `${directory} holds a RocksDB database that is not a store of ours`);
}

async function inscribe(database: RocksDatabase, { identity, adopting }: Inscription): Promise<void> {
  const operations = new Operations();
  const text = JSON.stringify(adopting ? { ...identity, adopting } : identity);
  operations.put('default', identityKey, Buffer.from(text, 'utf8'));
  sign(operations, database);
  await database.write(operations);
}

async function readTotals(database: RocksDatabase, directory: string): Promise<StoreTotals> {
  const totals = await database.get('default', totalsKey);
  if (totals === undefined) throw new PersistenceError('STORE_CORRUPT', `${directory} lacks its record of totals`);
  return decodeTotals(totals);
}

function parseInscription(stored: Uint8Array, directory: string): Inscription {
  const text = Buffer.from(stored).toString('utf8');
  const { kind, id, layoutVersion: version, adopting } = parseJson(text);
  if (kind !== 'rocksdb' || typeof id !== 'string' || !Number.isSafeInteger(version) || Number(version) < 1) {
    throw new PersistenceError('STORE_CORRUPT', `${directory} holds an identity that cannot be read: ${text}`);
  }
  if (Number(version) > layoutVersion) {
    throw new PersistenceError(
      'STORE_TOO_NEW',
      `${directory} has layout version ${version}; this release knows ${layoutVersion}`,
    );
  }
  return { identity: { kind, id, layoutVersion: Number(version) }, adopting: adopting === true };
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (cause) {
    if (cause instanceof SyntaxError) return {};
    throw cause;
  }
}
