import { type Cursor, initialCursor } from '../../domain/cursor.ts';
import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { type SessionId, sessionIdProblem } from '../../domain/identifiers.ts';
import { type Key, kindRange } from '../../embedded-store/record-keys.ts';
import { AdoptedSession } from '../adopted-session.ts';
import type { DatabaseSnapshot, FamilyRange, RocksDatabase } from './database.ts';
import { digits, splitKey } from './keys.ts';
import { next } from './rocksdb-records.ts';

const pageSize = { records: 1_000, bytes: 1024 * 1024 } as const;
/** Before, and after, every key that upstream writes. */
const everything = { from: Buffer.of(), to: Buffer.alloc(1_024, 0xff) } as const;

/** A session as it lies in upstream's families, and our cursor of it. */
export interface FoundSession {
  readonly session: SessionId;
  readonly cursor: Cursor | undefined;
  /** What our cursor would be had we written the session ourselves; undefined where nothing of it makes it known. */
  readonly asItIs: Cursor | undefined;
}

/** Every session that any family knows of, in UTF-8 byte order; reads every log. Throws `STORE_CORRUPT`. */
export async function* survey(database: RocksDatabase): AsyncGenerator<FoundSession> {
  const snapshot = await database.takeSnapshot();
  try {
    const { gt, lt } = kindRange('cursor');
    const walks: Walks = {
      cursors: new Walk(database, snapshot, { family: 'default', from: next(gt), to: lt }, (key) => key.subarray(1)),
      snapshots: new Walk(database, snapshot, { family: 'sessions', ...everything }, (key) => key),
      logs: new Walk(database, snapshot, { family: 'logs', ...everything }, (key) => splitKey(key).id),
      receipts: database.hasReceipts
        ? new Walk(database, snapshot, { family: 'receipts', ...everything }, (key) => splitKey(key).id)
        : undefined,
    };
    for (;;) {
      const id = await leastId(Object.values(walks));
      if (id === undefined) return;
      yield await examine(walks, id);
    }
  } finally {
    await database.releaseSnapshot(snapshot);
  }
}

interface Walks {
  readonly cursors: Walk;
  readonly snapshots: Walk;
  readonly logs: Walk;
  readonly receipts: Walk | undefined;
}

async function leastId(walks: readonly (Walk | undefined)[]): Promise<Buffer | undefined> {
  let least: Buffer | undefined;
  for (const walk of walks) {
    const id = await walk?.id();
    if (id !== undefined && (least === undefined || Buffer.compare(id, least) < 0)) least = id;
  }
  return least;
}

async function examine({ cursors, snapshots, logs, receipts }: Walks, id: Buffer): Promise<FoundSession> {
  const session = sessionOfId(id);
  const found = await cursors.take(id);
  const cursor = found === undefined ? undefined : decodeCursor(found[1]);
  const hasSnapshot = (await snapshots.take(id)) !== undefined;
  const adopted = await readLog(logs, id, session);
  let hasReceipt = false;
  let hasAnchor = false;
  for (let record = await receipts?.take(id); record !== undefined; record = await receipts?.take(id)) {
    if (splitKey(record[0]).rest === undefined) hasReceipt = true;
    else hasAnchor = true;
  }
  const isThere = hasSnapshot || adopted.entries > 0;
  return {
    session,
    cursor,
    asItIs: isThere ? adopted.cursor({ hasReceipt, hasAnchor }) : undefinedUnlessReceipt(hasReceipt, hasAnchor),
  };
}

/** A receipt or anchor alone makes no session known. */
function undefinedUnlessReceipt(hasReceipt: boolean, hasAnchor: boolean): Cursor | undefined {
  return hasReceipt || hasAnchor ? { ...initialCursor, hasReceipt, hasAnchor } : undefined;
}

async function readLog(logs: Walk, id: Buffer, session: SessionId): Promise<AdoptedSession> {
  const adopted = new AdoptedSession(session);
  for (let record = await logs.take(id); record !== undefined; record = await logs.take(id)) {
    const { rest } = splitKey(record[0]);
    if (rest !== digits(adopted.entries)) {
      const where = `the log of session ${JSON.stringify(session)}`;
      throw new PersistenceError(
        'STORE_CORRUPT',
        `${where} holds ${JSON.stringify(rest)} where entry ${digits(adopted.entries)} should be`,
      );
    }
    adopted.add(record[1]);
  }
  return adopted;
}

/** Upstream has stored names that are none; they are not left out without a word. */
export function sessionOfId(id: Buffer): SessionId {
  const text = id.toString('utf8');
  const problem = Buffer.compare(Buffer.from(text), id) === 0 ? sessionIdProblem(text) : 'it is not UTF-8';
  if (problem === undefined) return text as SessionId;
  throw new PersistenceError('STORE_CORRUPT', `there is a session ${JSON.stringify(text)}, which is none: ${problem}`);
}

/** Walks through a range, record by record, in pages. */
class Walk {
  readonly #database: RocksDatabase;
  readonly #snapshot: DatabaseSnapshot;
  readonly #idOf: (key: Buffer) => Buffer;
  #range: FamilyRange;
  #page: readonly (readonly [Key, Uint8Array])[] = [];
  #at = 0;
  #isLast = false;

  constructor(database: RocksDatabase, snapshot: DatabaseSnapshot, range: FamilyRange, idOf: (key: Buffer) => Buffer) {
    this.#database = database;
    this.#snapshot = snapshot;
    this.#range = range;
    this.#idOf = idOf;
  }

  /** Of the session to which the next record belongs; undefined after the last one. */
  async id(): Promise<Buffer | undefined> {
    if (this.#at === this.#page.length && !this.#isLast) await this.#turn();
    const record = this.#page[this.#at];
    return record === undefined ? undefined : this.#idOf(asBuffer(record[0]));
  }

  /** The next record, if it belongs to this session. */
  async take(id: Buffer): Promise<readonly [Key, Uint8Array] | undefined> {
    const found = await this.id();
    if (found === undefined || Buffer.compare(found, id) !== 0) return undefined;
    const record = this.#page[this.#at];
    this.#at += 1;
    return record;
  }

  async #turn(): Promise<void> {
    const { records, isLast } = await this.#database.records(this.#range, pageSize, this.#snapshot);
    const last = records.at(-1);
    this.#page = records;
    this.#at = 0;
    this.#isLast = isLast;
    if (last !== undefined) this.#range = { ...this.#range, from: next(last[0]) };
  }
}

function asBuffer(key: Key): Buffer {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}
