import type { Cursor } from '../domain/cursor.ts';
import { checkDocument } from '../domain/documents/check-data.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand } from '../domain/plan.ts';
import type { SourceSession } from '../ports/copy-source.ts';
import { AdoptedSession } from './adopted-session.ts';

/** A log entry as upstream wrote it, and where it stands, for people. */
export interface UpstreamEntry {
  readonly bytes: Uint8Array;
  readonly place: string;
}

/** What upstream keeps of a session, wherever that lies; nothing is checked yet. */
export interface UpstreamDocuments {
  log(): AsyncIterable<readonly UpstreamEntry[]>;
  snapshot(): Promise<Uint8Array | undefined>;
  receipt(): Promise<Uint8Array | undefined>;
  anchor(): Promise<Uint8Array | undefined>;
  /** Where the snapshot stands, for people. */
  readonly snapshotPlace: string;
}

/**
 * A session that upstream wrote. Its documents come as they belong into a store: checked, and without white space. What
 * macp-runtime could not read either is `INVALID_INPUT`, with the place where it stands.
 */
export class UpstreamSession implements SourceSession {
  readonly session: SessionId;
  readonly exists = true;
  readonly #documents: UpstreamDocuments;
  /** The log, once it was read to its end. */
  #read: AdoptedSession | undefined;

  constructor(session: SessionId, documents: UpstreamDocuments) {
    this.session = session;
    this.#documents = documents;
  }

  async cursor(): Promise<Cursor> {
    if (this.#read === undefined) for await (const _ of this.log());
    const [receipt, anchor] = [await this.receipt(), await this.anchor()];
    const read = this.#read ?? new AdoptedSession(this.session);
    return read.cursor({ hasReceipt: receipt !== undefined, hasAnchor: anchor !== undefined });
  }

  async snapshot(): Promise<Uint8Array | undefined> {
    const text = await this.#documents.snapshot();
    if (text === undefined) return undefined;
    const { data, refusal } = checkDocument('snapshot', this.session, text);
    if (refusal !== undefined) throw unusable(this.#documents.snapshotPlace, 'snapshot', refusal.message);
    return data;
  }

  receipt(): Promise<Uint8Array | undefined> {
    return this.#documents.receipt();
  }

  anchor(): Promise<Uint8Array | undefined> {
    return this.#documents.anchor();
  }

  async *log(): AsyncGenerator<readonly Uint8Array[]> {
    const adopted = new AdoptedSession(this.session);
    for await (const page of this.#documents.log()) {
      const entries: Uint8Array[] = [];
      for (const { bytes, place } of page) {
        const { data, refusal } = adopted.add(bytes);
        if (refusal !== undefined) {
          yield entries;
          throw unusable(place, 'log entry', refusal.message);
        }
        entries.push(data);
      }
      yield entries;
    }
    this.#read = adopted;
  }

  async *parked(): AsyncGenerator<readonly ParkedCommand[]> {
    // Upstream parks nothing.
  }

  async *filed(): AsyncGenerator<readonly FiledRecord[]> {
    // Upstream knows no dead letters.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Everything was read when it was asked for.
  }
}

function unusable(place: string, what: string, why: string): PersistenceError {
  return new PersistenceError(
    'INVALID_INPUT',
    `${place}: this ${what} cannot be copied, and macp-runtime could not read it either: ${why}`,
  );
}
