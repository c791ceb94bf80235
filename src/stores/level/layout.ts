import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { decodeFiled } from '../../domain/encoding/filed.ts';
import { decodeParkedCommand, encodeParkedHeader } from '../../domain/encoding/parked.ts';
import { decodeTotals, encodeTotals } from '../../domain/encoding/totals.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { countCursor, countFiled, emptyTotals, type StoreTotals } from '../../domain/totals.ts';
import { identityKey, type Key, kindRange, parkedHeaderKey, totalsKey } from '../../embedded-store/record-keys.ts';
import type { Database } from '../../level/database.ts';
import type { StoreIdentity } from '../../ports/store.ts';

/** The layout that this code reads and writes. 3: headers tell what is refused. 2: keeps totals. 1: had neither. */
const layoutVersion = 3;

/** What an open database says of itself. */
export interface Layout {
  readonly identity: StoreIdentity;
  readonly totals: StoreTotals;
}

/**
 * Identity and totals of an open database, in the layout of this release; a new one is given a `newId` and keeps it,
 * an earlier layout is upgraded. Throws `STORE_TOO_NEW`, or `STORE_CORRUPT` when the database holds something but no
 * identity (then it is not one of ours), or an identity but no totals.
 */
export async function settleLayout(database: Database, directory: string, newId: () => string): Promise<Layout> {
  const stored = await database.get(identityKey);
  if (stored === undefined) {
    if ((await database.keys({ limit: 1 }).all()).length > 0) {
      throw new PersistenceError('STORE_CORRUPT', `${directory} holds a LevelDB database that is not a store of ours`);
    }
    return write(database, newId(), emptyTotals(), []);
  }
  const identity = readIdentity(stored, directory);
  const totals = identity.layoutVersion === 1 ? await countTotals(database) : await readTotals(database, directory);
  // Interrupted at any point, this leaves the earlier layout as it was, and is done again.
  return identity.layoutVersion < layoutVersion
    ? write(database, identity.id, totals, await refusedHeaders(database))
    : { identity, totals };
}

async function write(
  database: Database,
  id: string,
  totals: StoreTotals,
  headers: readonly (readonly [Key, Uint8Array])[],
): Promise<Layout> {
  const identity: StoreIdentity = { kind: 'level', id, layoutVersion };
  const batch = database.batch();
  batch.put(identityKey, Buffer.from(JSON.stringify(identity), 'utf8')).put(totalsKey, encodeTotals(totals));
  for (const [key, header] of headers) batch.put(key, header);
  await batch.write({ sync: true });
  return { identity, totals };
}

async function readTotals(database: Database, directory: string): Promise<StoreTotals> {
  const totals = await database.get(totalsKey);
  if (totals === undefined) throw new PersistenceError('STORE_CORRUPT', `${directory} lacks its record of totals`);
  return decodeTotals(totals);
}

/** The headers of parked commands that will be refused, which earlier layouts told only in the commands' messages. */
async function refusedHeaders(database: Database): Promise<readonly (readonly [Key, Uint8Array])[]> {
  const headers: (readonly [Key, Uint8Array])[] = [];
  for await (const [key, value] of database.iterator(kindRange('parkedCommand'))) {
    const command = decodeParkedCommand(value);
    if (command.refusal !== undefined) headers.push([parkedHeaderKey(key), encodeParkedHeader(command)]);
  }
  return headers;
}

async function countTotals(database: Database): Promise<StoreTotals> {
  const totals = emptyTotals();
  for await (const value of database.values(kindRange('cursor'))) countCursor(totals, decodeCursor(value), 1);
  for await (const value of database.values(kindRange('filed'))) countFiled(totals, decodeFiled(value));
  return totals;
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
