import type { SessionId } from '../../domain/identifiers.ts';
import { type Key, prefixedKey, terminatedKey } from '../../embedded-store/record-keys.ts';

/** The kinds of key that only this layout has, beside those of every embedded store (docs/decisions/0007-level-layout.md). */
const kinds = { entry: 0x65, snapshot: 0x73, receipt: 0x72, anchor: 0x61, garbage: 0x67 } as const;

/** Keys from the first one to before the second one. */
export interface EntryRange {
  readonly gte: Key;
  readonly lt: Key;
}

const generationBytes = 4;
const ordinalBytes = 6;

/** The one document of this kind that a session has. */
export function documentKey(kind: 'snapshot' | 'receipt' | 'anchor', session: SessionId): Key {
  return prefixedKey(kinds[kind], session, 0);
}

/** Writes the keys of consecutive log entries into one buffer: a batch copies each key as it is put. */
export class EntryKeys {
  readonly #key: Buffer;
  readonly #ordinalAt: number;

  constructor(session: SessionId, generation: number) {
    this.#key = terminatedKey(kinds.entry, session, generationBytes + ordinalBytes);
    this.#ordinalAt = this.#key.length - ordinalBytes;
    this.#key.writeUInt32BE(generation, this.#ordinalAt - generationBytes);
  }

  /** The key of entry `ordinal`, valid until the next call. */
  at(ordinal: number): Key {
    this.#key.writeUIntBE(ordinal, this.#ordinalAt, ordinalBytes);
    return this.#key;
  }

  /** Keys of the entries from ordinal `from` to before ordinal `to`. */
  range(from: number, to: number): EntryRange {
    return { gte: Buffer.from(this.at(from)), lt: Buffer.from(this.at(to)) };
  }
}

/** Marks that the entries of this generation are no longer part of the log and may be removed. */
export function garbageKey(session: SessionId, generation: number): Key {
  const key = terminatedKey(kinds.garbage, session, generationBytes);
  key.writeUInt32BE(generation, key.length - generationBytes);
  return key;
}

/** Session and generation of a garbage marker's key. */
export function parseGarbageKey(key: Key): { readonly session: SessionId; readonly generation: number } {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const generationAt = bytes.length - generationBytes;
  return {
    session: bytes.toString('utf8', 1, generationAt - 1) as SessionId,
    generation: bytes.readUInt32BE(generationAt),
  };
}

/** The markers of all garbage. */
export const garbageRange = { gt: Buffer.of(kinds.garbage), lt: Buffer.of(kinds.garbage + 1) };
