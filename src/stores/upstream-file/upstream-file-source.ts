import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareText } from '../../domain/documents/text-order.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { type SessionId, sessionIdProblem } from '../../domain/identifiers.ts';
import type { DeadLetter } from '../../domain/plan.ts';
import type { CopySource, SourcePosition, SourceSession } from '../../ports/copy-source.ts';
import { type UpstreamDocuments, type UpstreamEntry, UpstreamSession } from '../upstream-session.ts';
import { itemsOf, type LegacyTexts, readLegacyFile } from './legacy-file.ts';
import { readLogLines } from './log-lines.ts';
import { orAbsent, orUnreadable } from './unreadable.ts';

/** What lies in a directory: nothing, what macp-runtime wrote, or a store of ours over it. */
export type UpstreamContent = 'nothing' | 'upstream' | 'own';

/** What a file store of ours adds to what upstream reads; its records are there once everything else is. */
const own = { directory: '.macp-persist', records: '.macp-persist/records' } as const;

const names = {
  sessions: 'sessions',
  legacySnapshots: 'sessions.json',
  legacyLogs: 'logs.json',
  snapshot: 'session.json',
  log: 'log.jsonl',
  receipt: 'receipt.json',
  anchor: 'anchor.json',
} as const;

/**
 * Looks what lies in a directory, and writes nothing. What was begun to be made a store, but never became one, is
 * upstream's where upstream had left something.
 */
export async function examineUpstreamFiles(directory: string): Promise<UpstreamContent> {
  const has = (name: string): Promise<boolean> => exists(join(directory, name));
  if (await has(own.records)) return 'own';
  if ((await has(names.legacySnapshots)) || (await has(names.legacyLogs))) return 'upstream';
  if (!(await has(names.sessions))) return (await has(own.directory)) ? 'own' : 'nothing';
  const sessions = join(directory, names.sessions);
  const isEmpty = (await orUnreadable(sessions, readdir(sessions))).length === 0;
  return isEmpty && (await has(own.directory)) ? 'own' : 'upstream';
}

export interface UpstreamFileOptions {
  readonly directory: string;
  /** Told of everything that is passed over, as upstream passes it over. */
  readonly onRemark: (text: string) => void;
}

/**
 * Opens a data directory of macp-runtime, to be read only: `sessions/ID/…`, and the files of the first layout, which
 * upstream would migrate at its next boot, and count before what lies in `sessions`.
 */
export async function openUpstreamFiles({ directory, onRemark }: UpstreamFileOptions): Promise<CopySource> {
  const place = await realpath(directory);
  const snapshots = await readLegacyFile(join(place, names.legacySnapshots));
  const logs = await readLegacyFile(join(place, names.legacyLogs));
  return new UpstreamFileSource(place, { snapshots: snapshots ?? new Map(), logs: logs ?? new Map() }, onRemark);
}

interface Legacy {
  readonly snapshots: LegacyTexts;
  readonly logs: LegacyTexts;
}

class UpstreamFileSource implements CopySource {
  readonly name: string;
  readonly #directory: string;
  readonly #legacy: Legacy;
  readonly #remark: (text: string) => void;
  #sessions: Promise<readonly SessionId[]> | undefined;

  constructor(directory: string, legacy: Legacy, onRemark: (text: string) => void) {
    this.name = `file:${directory}`;
    this.#directory = directory;
    this.#legacy = legacy;
    this.#remark = onRemark;
  }

  async count(): Promise<number> {
    return (await this.#list()).length;
  }

  async *sessions(): AsyncGenerator<SessionId> {
    yield* await this.#list();
  }

  async open(session: SessionId): Promise<SourceSession | undefined> {
    const directory = join(this.#directory, names.sessions, session);
    return new UpstreamSession(session, new FileDocuments(directory, session, this.#legacy, this.#remark));
  }

  async positions(): Promise<readonly SourcePosition[]> {
    return [];
  }

  async *withoutSession(): AsyncGenerator<readonly DeadLetter[]> {
    // Upstream knows no dead letters.
  }

  async close(): Promise<void> {
    // Nothing stays open between reads.
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #list(): Promise<readonly SessionId[]> {
    this.#sessions ??= this.#readNames();
    return this.#sessions;
  }

  /** Every directory is a session to upstream, also an empty one; links and files are none. */
  async #readNames(): Promise<readonly SessionId[]> {
    const found = new Set<SessionId>([...this.#legacy.snapshots.keys(), ...this.#legacy.logs.keys()]);
    const place = join(this.#directory, names.sessions);
    if (!(await exists(place))) return [...found].sort(compareText);
    const entries = await orUnreadable(place, readdir(place, { withFileTypes: true, encoding: 'buffer' }));
    for (const entry of entries) if (entry.isDirectory()) found.add(sessionOf(entry.name, place));
    return [...found].sort(compareText);
  }
}

class FileDocuments implements UpstreamDocuments {
  readonly snapshotPlace: string;
  readonly #directory: string;
  readonly #session: SessionId;
  readonly #legacySnapshot: Uint8Array | undefined;
  readonly #legacyLog: Uint8Array | undefined;
  readonly #remark: (text: string) => void;

  constructor(directory: string, session: SessionId, { snapshots, logs }: Legacy, onRemark: (text: string) => void) {
    this.#directory = directory;
    this.#session = session;
    this.#legacySnapshot = snapshots.get(session);
    this.#legacyLog = logs.get(session);
    this.#remark = onRemark;
    this.snapshotPlace =
      this.#legacySnapshot === undefined
        ? join(directory, names.snapshot)
        : `${names.legacySnapshots}, session ${JSON.stringify(session)}`;
  }

  async *log(): AsyncGenerator<readonly UpstreamEntry[]> {
    if (this.#legacyLog === undefined) {
      yield* readLogLines(join(this.#directory, names.log), (place) =>
        this.#remark(`${place}: left out a line that a crash has torn, as macp-runtime does`),
      );
      return;
    }
    const place = `${names.legacyLogs}, session ${JSON.stringify(this.#session)}`;
    let at = 0;
    for (const bytes of itemsOf(this.#legacyLog, place)) {
      yield [{ bytes, place: `${place}, entry ${at}` }];
      at += 1;
    }
  }

  async snapshot(): Promise<Uint8Array | undefined> {
    return this.#legacySnapshot ?? readIfThere(join(this.#directory, names.snapshot));
  }

  receipt(): Promise<Uint8Array | undefined> {
    return readIfThere(join(this.#directory, names.receipt));
  }

  anchor(): Promise<Uint8Array | undefined> {
    return readIfThere(join(this.#directory, names.anchor));
  }
}

function sessionOf(name: Buffer, place: string): SessionId {
  const text = name.toString('utf8');
  const problem = Buffer.compare(Buffer.from(text), name) === 0 ? sessionIdProblem(text) : 'it is not UTF-8';
  if (problem === undefined) return text as SessionId;
  throw new PersistenceError(
    'INVALID_INPUT',
    `${place} holds a session ${JSON.stringify(text)} that cannot be copied: ${problem}`,
  );
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return orUnreadable(path, orAbsent(readFile(path)));
}

async function exists(path: string): Promise<boolean> {
  return (await orUnreadable(path, orAbsent(stat(path)))) !== undefined;
}
