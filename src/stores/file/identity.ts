import { decodeTotals, encodeTotals } from '../../domain/encoding/totals.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import { identityKey, type Key, totalsKey } from '../../embedded-store/record-keys.ts';
import type { Batch } from '../../embedded-store/write-records.ts';
import type { Database } from '../../level/database.ts';
import type { StoreIdentity } from '../../ports/store.ts';

/** The layout of our records and journal that this code reads and writes. */
const layoutVersion = 1;
const checkpointKey: Key = Buffer.from('jc', 'latin1');
const appliedKey: Key = Buffer.from('ja', 'latin1');

/** What an open store says of itself. */
export interface Standing {
  readonly identity: StoreIdentity;
  readonly totals: StoreTotals;
  /** The first commit that the journal may still hold. */
  readonly checkpoint: number;
  /** The last commit that is known to have reached files and records. */
  readonly applied: number;
}

/** Puts what a new store says of itself into `batch`. */
export function writeStanding(batch: Batch, id: string, totals: StoreTotals): void {
  const identity: StoreIdentity = { kind: 'file', id, layoutVersion };
  batch.put(identityKey, Buffer.from(JSON.stringify(identity), 'utf8'));
  batch.put(totalsKey, encodeTotals(totals));
  writeCheckpoint(batch, 1);
  writeApplied(batch, 0);
}

export function writeCheckpoint(batch: Batch, commit: number): void {
  batch.put(checkpointKey, numberBytes(commit));
}

export function writeApplied(batch: Batch, commit: number): void {
  batch.put(appliedKey, numberBytes(commit));
}

/** What the store in `directory` says of itself. Throws `STORE_CORRUPT`, `STORE_TOO_NEW`. */
export async function readStanding(database: Database, directory: string): Promise<Standing> {
  const [identity, totals, checkpoint, applied] = await database.getMany([
    identityKey,
    totalsKey,
    checkpointKey,
    appliedKey,
  ]);
  if (identity === undefined || totals === undefined || checkpoint === undefined || applied === undefined) {
    throw new PersistenceError('STORE_CORRUPT', `${directory} holds records that are not those of a file store`);
  }
  return {
    identity: readIdentity(identity, directory),
    totals: decodeTotals(totals),
    checkpoint: numberOf(checkpoint),
    applied: numberOf(applied),
  };
}

function readIdentity(stored: Uint8Array, directory: string): StoreIdentity {
  const text = Buffer.from(stored).toString('utf8');
  const { kind, id, layoutVersion: version } = parsed(text) as Partial<StoreIdentity>;
  if (kind !== 'file' || typeof id !== 'string' || !Number.isSafeInteger(version)) {
    throw new PersistenceError('STORE_CORRUPT', `${directory} holds an identity that cannot be read: ${text}`);
  }
  if (version === undefined || version > layoutVersion) {
    throw new PersistenceError(
      'STORE_TOO_NEW',
      `${directory} has layout version ${version}; this release knows ${layoutVersion}`,
    );
  }
  return { kind, id, layoutVersion: version };
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  return Number(Buffer.from(bytes).readBigUInt64BE());
}
