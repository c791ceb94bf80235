import type { SessionId } from '../../domain/identifiers.ts';
import type { FiledId, SourceId } from '../../domain/plan.ts';

/**
 * The key space (docs/decisions/0007-level-layout.md). Every key starts with one byte that names its kind. Session
 * ids hold no NUL, so `kind id 0x00 rest` sorts by the UTF-8 bytes of the id first, and no id is mistaken for the
 * beginning of another. Numbers are big-endian, so that they sort as numbers.
 */
const kinds = {
  identity: 0x21,
  cursor: 0x63,
  entry: 0x65,
  snapshot: 0x73,
  receipt: 0x72,
  anchor: 0x61,
  parkedHeader: 0x68,
  parkedCommand: 0x70,
  filed: 0x66,
  position: 0x71,
  garbage: 0x67,
  totals: 0x74,
} as const;

export type KeyKind = keyof typeof kinds;
export type Key = Uint8Array;

/** Keys of the first one to before the second one. */
export interface KeyRange {
  readonly gte: Key;
  readonly lt: Key;
}

const generationBytes = 4;
const ordinalBytes = 6;

export const identityKey: Key = Buffer.of(kinds.identity);
export const totalsKey: Key = Buffer.of(kinds.totals);

/** The one key of this kind that a session has. */
export function sessionKey(kind: 'cursor' | 'snapshot' | 'receipt' | 'anchor', session: SessionId): Key {
  return prefixed(kind, session, 0);
}

/** Writes the keys of consecutive log entries into one buffer: a batch copies each key as it is put. */
export class EntryKeys {
  readonly #key: Buffer;
  readonly #ordinalAt: number;

  constructor(session: SessionId, generation: number) {
    this.#key = terminated('entry', session, generationBytes + ordinalBytes);
    this.#ordinalAt = this.#key.length - ordinalBytes;
    this.#key.writeUInt32BE(generation, this.#ordinalAt - generationBytes);
  }

  /** The key of entry `ordinal`, valid until the next call. */
  at(ordinal: number): Key {
    this.#key.writeUIntBE(ordinal, this.#ordinalAt, ordinalBytes);
    return this.#key;
  }

  /** Keys of the entries from ordinal `from` to before ordinal `to`. */
  range(from: number, to: number): KeyRange {
    return { gte: Buffer.from(this.at(from)), lt: Buffer.from(this.at(to)) };
  }
}

export function parkedKey(kind: 'parkedHeader' | 'parkedCommand', session: SessionId, sequence: number): Key {
  const key = terminated(kind, session, 8);
  key.writeBigUInt64BE(BigInt(sequence), key.length - 8);
  return key;
}

/** The key of the header of a parked command, from that of the command. */
export function parkedHeaderKey(commandKey: Key): Key {
  return Buffer.concat([Buffer.of(kinds.parkedHeader), commandKey.subarray(1)]);
}

/** Dead letters without a session stand under the empty id, before all others. */
export function filedKey(session: SessionId | undefined, id: FiledId): Key {
  return Buffer.concat([terminated('filed', session ?? '', 0), Buffer.from(id, 'utf8')]);
}

export function positionKey(source: SourceId, partition: number): Key {
  if (source.includes('\0')) throw new TypeError('a source id must not hold NUL');
  const key = terminated('position', source, 4);
  key.writeUInt32BE(partition, key.length - 4);
  return key;
}

/** Source and partition of a position's key. */
export function parsePositionKey(key: Key): { readonly source: SourceId; readonly partition: number } {
  const bytes = asBuffer(key);
  const partitionAt = bytes.length - 4;
  return {
    source: bytes.toString('utf8', 1, partitionAt - 1) as SourceId,
    partition: bytes.readUInt32BE(partitionAt),
  };
}

/** Marks that the entries of this generation are no longer part of the log and may be removed. */
export function garbageKey(session: SessionId, generation: number): Key {
  const key = terminated('garbage', session, generationBytes);
  key.writeUInt32BE(generation, key.length - generationBytes);
  return key;
}

/** Session and generation of a garbage marker's key. */
export function parseGarbageKey(key: Key): { readonly session: SessionId; readonly generation: number } {
  const bytes = asBuffer(key);
  const generationAt = bytes.length - generationBytes;
  return {
    session: bytes.toString('utf8', 1, generationAt - 1) as SessionId,
    generation: bytes.readUInt32BE(generationAt),
  };
}

/** The session id of a cursor's key. */
export function parseCursorKey(key: Key): SessionId {
  return asBuffer(key).toString('utf8', 1) as SessionId;
}

/** All keys of a kind. */
export function kindRange(kind: KeyKind): KeyRange {
  return { gte: Buffer.of(kinds[kind]), lt: Buffer.of(kinds[kind] + 1) };
}

/** All keys of a kind that a session has several of. */
export function sessionRange(kind: 'parkedHeader' | 'filed', session: SessionId): KeyRange {
  const lt = terminated(kind, session, 0);
  lt[lt.length - 1] = 1;
  return { gte: terminated(kind, session, 0), lt };
}

function terminated(kind: KeyKind, id: string, rest: number): Buffer {
  return prefixed(kind, id, 1 + rest);
}

/** `kind id` and `room` zero bytes. */
function prefixed(kind: KeyKind, id: string, room: number): Buffer {
  const length = Buffer.byteLength(id, 'utf8');
  const key = Buffer.allocUnsafe(1 + length + room);
  key[0] = kinds[kind];
  key.write(id, 1, length, 'utf8');
  if (room > 0) key[1 + length] = 0;
  return key;
}

function asBuffer(key: Key): Buffer {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}
