import type { SessionId } from '../domain/identifiers.ts';
import type { FiledId, SourceId } from '../domain/plan.ts';

/**
 * The keys of what every embedded store keeps of its own (docs/decisions/0007-level-layout.md). Each starts with one
 * byte that names its kind. Session ids hold no NUL, so `kind id 0x00 rest` sorts by the UTF-8 bytes of the id first,
 * and no id is mistaken for the beginning of another. Numbers are big-endian, so that they sort as numbers.
 */
const kinds = {
  identity: 0x21,
  cursor: 0x63,
  parkedHeader: 0x68,
  parkedCommand: 0x70,
  filed: 0x66,
  position: 0x71,
  totals: 0x74,
} as const;

export type KeyKind = keyof typeof kinds;
export type Key = Uint8Array;

/** Keys between the two, which are none themselves. */
export interface KeyRange {
  readonly gt: Key;
  readonly lt: Key;
}

export const identityKey: Key = Buffer.of(kinds.identity);
export const totalsKey: Key = Buffer.of(kinds.totals);

export function cursorKey(session: SessionId): Key {
  return prefixedKey(kinds.cursor, session, 0);
}

export function parkedKey(kind: 'parkedHeader' | 'parkedCommand', session: SessionId, sequence: number): Key {
  const key = terminatedKey(kinds[kind], session, 8);
  key.writeBigUInt64BE(BigInt(sequence), key.length - 8);
  return key;
}

/** The key of the header of a parked command, from that of the command. */
export function parkedHeaderKey(commandKey: Key): Key {
  return Buffer.concat([Buffer.of(kinds.parkedHeader), commandKey.subarray(1)]);
}

/** Dead letters without a session stand under the empty id, before all others. */
export function filedKey(session: SessionId | undefined, id: FiledId): Key {
  return Buffer.concat([terminatedKey(kinds.filed, session ?? '', 0), Buffer.from(id, 'utf8')]);
}

export function positionKey(source: SourceId, partition: number): Key {
  if (source.includes('\0')) throw new TypeError('a source id must not hold NUL');
  const key = terminatedKey(kinds.position, source, 4);
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

/** The session id of a cursor's key. */
export function parseCursorKey(key: Key): SessionId {
  return asBuffer(key).toString('utf8', 1) as SessionId;
}

/** All keys of a kind. */
export function kindRange(kind: KeyKind): KeyRange {
  return { gt: Buffer.of(kinds[kind]), lt: Buffer.of(kinds[kind] + 1) };
}

/** All keys of a kind that a session has several of. */
export function sessionRange(kind: 'parkedHeader' | 'filed', session: SessionId): KeyRange {
  const lt = terminatedKey(kinds[kind], session, 0);
  lt[lt.length - 1] = 1;
  return { gt: terminatedKey(kinds[kind], session, 0), lt };
}

/** `kind id NUL` and `room` bytes for whatever tells keys of one session apart. */
export function terminatedKey(kind: number, id: string, room: number): Buffer {
  return prefixedKey(kind, id, 1 + room);
}

/** `kind id` and `room` bytes, the first of which is NUL. */
export function prefixedKey(kind: number, id: string, room: number): Buffer {
  const length = Buffer.byteLength(id, 'utf8');
  const key = Buffer.allocUnsafe(1 + length + room);
  key[0] = kind;
  key.write(id, 1, length, 'utf8');
  if (room > 0) key[1 + length] = 0;
  return key;
}

function asBuffer(key: Key): Buffer {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}
