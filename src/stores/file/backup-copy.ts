import { decodeCursor } from '../../domain/encoding/cursor.ts';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Guard } from '../../embedded-store/engine.ts';
import { kindRange, parseCursorKey } from '../../embedded-store/record-keys.ts';
import { syncFiles } from '../../embedded-store/sync-files.ts';
import type { Database, DatabaseSnapshot } from '../../level/database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import type { BackupSize } from '../../ports/store.ts';
import type { Workplace } from './apply-effects.ts';
import { readStanding, writeCheckpoint } from './identity.ts';
import { Places, type SessionFile } from './places.ts';
import { flush, openRecords } from './records-database.ts';
import { decodeState, type SessionState, stateKey } from './session-state.ts';
import type { Reader } from './set-aside.ts';
import { writeLayoutRecord } from './upstream-layout.ts';

/** Copied at once: what a piece holds in memory, and how long it holds up the event loop. */
const pageRecords = 1_000;
const pageBytes = 256 * 1024;

/** Everything as of one moment. */
export interface Moment {
  readonly snapshot: DatabaseSnapshot;
  readonly reader: Reader;
}

/** The open directory that is copied. */
export interface CopiedFiles {
  readonly workplace: Workplace;
  readonly database: Database;
  /** Whoever asks closes the snapshot and removes the reader. */
  moment(wants: (session: SessionId) => boolean): Promise<Moment>;
}

/** One copy of a store as of one moment, durable once it is made, in a directory that is not there yet. */
export class BackupCopy {
  readonly #opened: CopiedFiles;
  readonly #files: SharedFileSystem;
  readonly #to: Places;
  readonly #guard: Guard;
  #copiedTo = Buffer.alloc(0);
  #records = 0;
  #bytes = 0;

  constructor(opened: CopiedFiles, draft: string, guard: Guard) {
    this.#opened = opened;
    this.#files = opened.workplace.files;
    this.#to = new Places(draft);
    this.#guard = guard;
  }

  async make(): Promise<BackupSize> {
    const files = this.#files;
    const to = this.#to;
    for (const path of [to.directory, to.sessions, to.own, to.records]) await files.makeShared(path);
    const isLeft = (session: SessionId): boolean => Buffer.compare(Buffer.from(session, 'utf8'), this.#copiedTo) > 0;
    const moment = await this.#guard(() => this.#opened.moment(isLeft));
    try {
      await this.#copySessions(moment);
      await this.#copyRecords(moment.snapshot);
    } finally {
      await moment.snapshot.close();
      await this.#opened.workplace.setAside.removeReader(moment.reader);
    }
    await writeLayoutRecord(files, to);
    for (const path of [to.records, to.own, to.sessions, to.directory]) await files.syncDirectory(path);
    return { records: this.#records, bytes: this.#bytes };
  }

  async #copySessions({ snapshot, reader }: Moment): Promise<void> {
    const { database } = this.#opened;
    for await (const page of this.#pages(iteratorOf(database, { ...kindRange('cursor'), snapshot }))) {
      for (const [key, value] of page) {
        const { hasReceipt, hasAnchor } = decodeCursor(value);
        const session = parseCursorKey(key);
        await this.#copySession(session, reader, snapshot, { receipt: hasReceipt, anchor: hasAnchor });
        this.#copiedTo = Buffer.from(session, 'utf8');
      }
    }
  }

  async #copySession(
    session: SessionId,
    reader: Reader,
    snapshot: DatabaseSnapshot,
    has: { readonly receipt: boolean; readonly anchor: boolean },
  ): Promise<void> {
    const stored = await this.#guard(() => this.#opened.database.get(stateKey(session), { snapshot }));
    if (stored === undefined) return;
    const state = decodeState(stored);
    await this.#files.makeShared(this.#to.session(session));
    if (state.hasLog) await this.#copyFile(session, 'log', reader, state.logBytes);
    if (await this.#hasSnapshot(session, reader, state)) await this.#copyFile(session, 'snapshot', reader);
    if (has.receipt) await this.#copyFile(session, 'receipt', reader);
    if (has.anchor) await this.#copyFile(session, 'anchor', reader);
    await this.#files.syncDirectory(this.#to.session(session));
  }

  /** macp-runtime writes one for every session when it starts. */
  async #hasSnapshot(session: SessionId, reader: Reader, { snapshot }: SessionState): Promise<boolean> {
    if (snapshot !== 'absent') return true;
    const { setAside } = this.#opened.workplace;
    try {
      await using _ = await this.#guard(() => setAside.open(reader, session, 'snapshot'));
      return true;
    } catch (error) {
      if (isPersistenceError(error, 'STORE_CLOSED')) throw error;
      return false;
    }
  }

  async #copyFile(session: SessionId, name: SessionFile, reader: Reader, length?: number): Promise<void> {
    const { setAside, places } = this.#opened.workplace;
    await using from = await this.#guard(() => setAside.open(reader, session, name));
    await using to = await this.#files.openShared(this.#to.file(session, name), 'create');
    const end = length ?? (await from.size());
    const piece = Buffer.allocUnsafe(Math.min(pageBytes, end));
    for (let at = 0; at < end; ) {
      const part = piece.subarray(0, Math.min(piece.length, end - at));
      const read = await this.#guard(() => from.read(part, at));
      if (read < part.length) {
        throw new PersistenceError('STORE_CORRUPT', `${places.file(session, name)} has ${at + read} of ${end} bytes`);
      }
      await to.write(part, at);
      at += read;
    }
    await to.datasync();
    this.#records += 1;
    this.#bytes += end;
  }

  /** Everything but the journal's marks: the copy has no journal, and holds what was applied. */
  async #copyRecords(snapshot: DatabaseSnapshot): Promise<void> {
    const copy = await openRecords(this.#to.records);
    try {
      const batch = new ReusedBatch(copy);
      for await (const page of this.#pages(iteratorOf(this.#opened.database, { snapshot }))) {
        for (const [key, value] of page) {
          batch.put(key, value);
          this.#bytes += key.length + value.length;
        }
        this.#records += page.length;
        await batch.write({ sync: false });
      }
      const { applied } = await readStanding(copy, this.#to.directory);
      writeCheckpoint(batch, applied + 1);
      await batch.write({ sync: false });
      await flush(copy);
    } finally {
      await copy.close();
    }
    await syncFiles(this.#files, this.#to.records);
  }

  async *#pages(iterator: ReturnType<typeof iteratorOf>): AsyncGenerator<[Uint8Array, Uint8Array][]> {
    try {
      for (;;) {
        const page = await this.#guard(() => iterator.nextv(pageRecords));
        if (page.length === 0) return;
        yield page;
      }
    } finally {
      await iterator.close();
    }
  }
}

function iteratorOf(
  database: Database,
  range: { readonly gt?: Uint8Array; readonly lt?: Uint8Array; readonly snapshot: DatabaseSnapshot },
) {
  return database.iterator({ ...range, highWaterMarkBytes: pageBytes });
}
