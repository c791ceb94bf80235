import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { DeadLetter } from '../../domain/plan.ts';
import { identityKey } from '../../embedded-store/record-keys.ts';
import type { CopySource, SourcePosition, SourceSession } from '../../ports/copy-source.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { type UpstreamDocuments, type UpstreamEntry, UpstreamSession } from '../upstream-session.ts';
import { addonPlaces, loadAddon } from './addon.ts';
import { type DatabaseSnapshot, RocksDatabase } from './database.ts';
import { classify } from './failures.ts';
import type { Family } from './families.ts';
import { anchorKey, digits, documentKey, entryKey, logEnd, splitKey } from './keys.ts';
import { refuseLevel } from './refuse-level.ts';
import { next } from './rocksdb-records.ts';
import { sessionOfId } from './survey.ts';

export interface UpstreamRocksdbOptions {
  readonly directory: string;
  /** Which machine the addon is for: `linux-x64`, as `process.platform` and `process.arch` say. */
  readonly platform: string;
  readonly files: FileSystem;
}

const pageSize = { records: 1_000, bytes: 1024 * 1024 } as const;
const oneRecord = { records: 1, bytes: 1 } as const;
const end = Buffer.alloc(1_024, 0xff);

/** Whether a database that is there is a store of ours. Writes nothing. */
export async function examineUpstreamRocksdb(options: UpstreamRocksdbOptions): Promise<'upstream' | 'own'> {
  const database = await open(options);
  try {
    return (await database.get('default', identityKey)) === undefined ? 'upstream' : 'own';
  } catch (error) {
    throw classify(error, options.directory, 'reading');
  } finally {
    await database.close();
  }
}

/**
 * Opens a database that macp-runtime wrote, to be read only, as it is now. Throws `ADDON_MISSING`, `STORE_CORRUPT`,
 * `STORE_IO_FAILED`.
 */
export async function openUpstreamRocksdb(options: UpstreamRocksdbOptions): Promise<CopySource> {
  const database = await open(options);
  try {
    return new UpstreamRocksdbSource(database, await database.takeSnapshot(), options.directory);
  } catch (error) {
    await database.close();
    throw classify(error, options.directory, 'reading');
  }
}

async function open({ directory, platform, files }: UpstreamRocksdbOptions): Promise<RocksDatabase> {
  const addon = loadAddon(addonPlaces(platform));
  try {
    await refuseLevel(files, directory);
    return await RocksDatabase.openReadOnly(addon, directory);
  } catch (error) {
    throw classify(error, directory, 'opening it to be read');
  }
}

/** Reads the database as it was when the snapshot was taken; says what its failures mean. */
class Reader {
  readonly directory: string;
  readonly #database: RocksDatabase;
  readonly #snapshot: DatabaseSnapshot;

  constructor(database: RocksDatabase, snapshot: DatabaseSnapshot, directory: string) {
    this.directory = directory;
    this.#database = database;
    this.#snapshot = snapshot;
  }

  get hasReceipts(): boolean {
    return this.#database.hasReceipts;
  }

  get(family: Family, key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#guard(() => this.#database.get(family, key, this.#snapshot));
  }

  records(
    family: Family,
    from: Uint8Array,
    to: Uint8Array,
    size: { readonly records: number; readonly bytes: number } = pageSize,
  ): ReturnType<RocksDatabase['records']> {
    return this.#guard(() => this.#database.records({ family, from, to }, size, this.#snapshot));
  }

  /** The id of the first session from `from` on that has a record in the family. */
  async firstId(family: Family, from: Uint8Array): Promise<Buffer | undefined> {
    const { records } = await this.records(family, from, end, oneRecord);
    const [first] = records;
    return first === undefined ? undefined : splitKey(first[0]).id;
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #guard<Value>(read: () => Promise<Value>): Promise<Value> {
    try {
      return await read();
    } catch (error) {
      throw classify(error, this.directory, 'reading');
    }
  }
}

class UpstreamRocksdbSource implements CopySource {
  readonly name: string;
  readonly #reader: Reader;

  constructor(database: RocksDatabase, snapshot: DatabaseSnapshot, directory: string) {
    this.name = `rocksdb:${directory}`;
    this.#reader = new Reader(database, snapshot, directory);
  }

  async count(): Promise<number> {
    let sessions = 0;
    for await (const _ of this.sessions()) sessions += 1;
    return sessions;
  }

  /** Those that have a snapshot or a log: upstream's own list knows only the former. */
  async *sessions(): AsyncGenerator<SessionId> {
    let from: Uint8Array = Buffer.of();
    for (;;) {
      const [snapshot, log] = [await this.#reader.firstId('sessions', from), await this.#reader.firstId('logs', from)];
      const id = least(snapshot, log);
      if (id === undefined) return;
      yield sessionOfId(id);
      // After all keys of this id, and before those of any longer one.
      from = Buffer.concat([id, Buffer.of(1)]);
    }
  }

  async open(session: SessionId): Promise<SourceSession | undefined> {
    return new UpstreamSession(session, new RocksdbDocuments(this.#reader, session));
  }

  async positions(): Promise<readonly SourcePosition[]> {
    return [];
  }

  async *withoutSession(): AsyncGenerator<readonly DeadLetter[]> {
    // Upstream knows no dead letters.
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class RocksdbDocuments implements UpstreamDocuments {
  readonly snapshotPlace: string;
  readonly #reader: Reader;
  readonly #session: SessionId;

  constructor(reader: Reader, session: SessionId) {
    this.snapshotPlace = `${reader.directory}, family sessions, key ${JSON.stringify(session)}`;
    this.#reader = reader;
    this.#session = session;
  }

  async *log(): AsyncGenerator<readonly UpstreamEntry[]> {
    const to = logEnd(this.#session);
    let from = entryKey(this.#session, 0);
    for (let ordinal = 0; ; ) {
      const { records, isLast } = await this.#reader.records('logs', from, to);
      const entries: UpstreamEntry[] = [];
      for (const [key, bytes] of records) {
        const { rest } = splitKey(key);
        const place = this.#placeOf(rest);
        if (rest !== digits(ordinal)) {
          yield entries;
          throw new PersistenceError('INVALID_INPUT', `${place}: entry ${digits(ordinal)} should stand here`);
        }
        entries.push({ bytes, place });
        ordinal += 1;
      }
      yield entries;
      const last = records.at(-1);
      if (isLast || last === undefined) return;
      from = next(last[0]);
    }
  }

  snapshot(): Promise<Uint8Array | undefined> {
    return this.#reader.get('sessions', documentKey(this.#session));
  }

  async receipt(): Promise<Uint8Array | undefined> {
    return this.#reader.hasReceipts ? this.#reader.get('receipts', documentKey(this.#session)) : undefined;
  }

  async anchor(): Promise<Uint8Array | undefined> {
    return this.#reader.hasReceipts ? this.#reader.get('receipts', anchorKey(this.#session)) : undefined;
  }

  #placeOf(ordinal: string | undefined): string {
    return `${this.#reader.directory}, family logs, session ${JSON.stringify(this.#session)}, entry ${ordinal}`;
  }
}

function least(one: Buffer | undefined, other: Buffer | undefined): Buffer | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Buffer.compare(one, other) <= 0 ? one : other;
}
