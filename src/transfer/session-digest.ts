import { createHash } from 'node:crypto';
import type { Cursor } from '../domain/cursor.ts';
import type { Digest } from '../domain/digest.ts';
import { encodeCursor } from '../domain/encoding/cursor.ts';
import { encodeFiled } from '../domain/encoding/filed.ts';
import { encodeParkedCommand } from '../domain/encoding/parked.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand } from '../domain/plan.ts';
import type { SourceSession } from '../ports/copy-source.ts';

/**
 * SHA-256 over parts, each behind one byte that says what it is and its length in bytes (8 bytes, high first), so that
 * no two lists of parts give the same bytes.
 */
export class FramedDigest {
  readonly #hash = createHash('sha256');
  readonly #frame = Buffer.alloc(9);

  /** `kind`: one ASCII character. */
  add(kind: string, bytes: Uint8Array): void {
    this.#frame.write(kind, 0, 1, 'latin1');
    this.#frame.writeBigUInt64BE(BigInt(bytes.length), 1);
    this.#hash.update(this.#frame);
    this.#hash.update(bytes);
  }

  finish(): Digest {
    return this.#hash.digest('binary') as Digest;
  }
}

/** What a session holds by itself, whoever numbered it. */
export interface SessionDocuments {
  readonly snapshot: Uint8Array | undefined;
  readonly receipt: Uint8Array | undefined;
  readonly anchor: Uint8Array | undefined;
}

/** The digest of a session's content: its log entries in order, then snapshot, receipt and anchor. */
export class ContentDigest {
  readonly #digest = new FramedDigest();

  addEntries(entries: readonly Uint8Array[]): void {
    for (const entry of entries) this.#digest.add('e', entry);
  }

  finish({ snapshot, receipt, anchor }: SessionDocuments): Digest {
    if (snapshot !== undefined) this.#digest.add('s', snapshot);
    if (receipt !== undefined) this.#digest.add('r', receipt);
    if (anchor !== undefined) this.#digest.add('a', anchor);
    return this.#digest.finish();
  }
}

/**
 * The digest of all that a store keeps of a session: id, cursor, content, parked commands, dead letters and decisions.
 * Of the cursor, generation and version do not count: they tell how a store came to what it holds.
 */
export class SessionDigest {
  readonly #session: SessionId;
  readonly #beside = new FramedDigest();

  constructor(session: SessionId) {
    this.#session = session;
  }

  /** In ascending order, and before any {@link addFiled}. */
  addParked(commands: readonly ParkedCommand[]): void {
    for (const command of commands) this.#beside.add('p', encodeParkedCommand(command));
  }

  /** In the order of their ids. */
  addFiled(records: readonly FiledRecord[]): void {
    for (const record of records) this.#beside.add('f', encodeFiled(record));
  }

  finish(cursor: Cursor, content: Digest): Digest {
    const whole = new FramedDigest();
    whole.add('i', Buffer.from(this.#session, 'utf8'));
    whole.add('c', encodeCursor(comparable(cursor)));
    whole.add('d', Buffer.from(content, 'latin1'));
    whole.add('b', Buffer.from(this.#beside.finish(), 'latin1'));
    return whole.finish();
  }
}

/** Reads the whole session, and gives its digest. */
export async function digestSession(session: SourceSession): Promise<Digest> {
  const digest = new SessionDigest(session.session);
  for await (const commands of session.parked()) digest.addParked(commands);
  for await (const records of session.filed()) digest.addFiled(records);
  const content = await digestContent(session);
  return digest.finish(await session.cursor(), content);
}

/** Reads the session's log and documents, and gives their digest. */
export async function digestContent(session: SourceSession): Promise<Digest> {
  const content = new ContentDigest();
  for await (const entries of session.log()) content.addEntries(entries);
  return content.finish(await readDocuments(session));
}

export async function readDocuments(session: SourceSession): Promise<SessionDocuments> {
  return { snapshot: await session.snapshot(), receipt: await session.receipt(), anchor: await session.anchor() };
}

/** True when both say the same of a session, however their stores came to it. */
export function sameCursor(one: Cursor, other: Cursor): boolean {
  return Buffer.compare(encodeCursor(comparable(one)), encodeCursor(comparable(other))) === 0;
}

function comparable(cursor: Cursor): Cursor {
  return { ...cursor, generation: 0, version: 0 };
}
