import type { SessionId } from '../../domain/identifiers.ts';
import type { Key } from '../../embedded-store/record-keys.ts';

/*
 * The keys of macp-storage's layout (docs/decisions/0019-rocksdb-layout.md): a session's snapshot and receipt stand
 * under its id, a log entry under `id NUL` and its ordinal in eight decimal digits. Ids hold no NUL, so keys sort by the
 * UTF-8 bytes of the id first, and no id is mistaken for the beginning of another.
 */

/** As many entries as eight digits tell apart: macp-storage writes a ninth digit, and over its own entry from then on. */
export const mostEntries = 100_000_000;
const ordinalDigits = 8;

/** The key of a session's snapshot, and of its receipt. */
export function documentKey(session: SessionId): Key {
  return Buffer.from(session, 'utf8');
}

export function anchorKey(session: SessionId): Key {
  return Buffer.from(`${session}\0anchor`, 'utf8');
}

/** The key of the log's entry `ordinal`. */
export function entryKey(session: SessionId, ordinal: number): Key {
  return Buffer.from(`${session}\0${digits(ordinal)}`, 'utf8');
}

/** After all keys of a session's log. */
export function logEnd(session: SessionId): Key {
  return Buffer.from(`${session}\x01`, 'utf8');
}

/** Writes the keys of consecutive entries into one buffer: a batch copies each key as it is added. */
export class EntryKeys {
  readonly #key: Buffer;
  readonly #ordinalAt: number;

  constructor(session: SessionId) {
    this.#key = Buffer.from(entryKey(session, 0));
    this.#ordinalAt = this.#key.length - ordinalDigits;
  }

  /** The key of entry `ordinal`, valid until the next call. */
  at(ordinal: number): Key {
    let rest = ordinal;
    for (let at = this.#key.length - 1; at >= this.#ordinalAt; at -= 1) {
      this.#key[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    return this.#key;
  }
}

/** A key of the families of logs or receipts, taken apart: the bytes of the id, and what stands after the NUL. */
export function splitKey(key: Key): { readonly id: Buffer; readonly rest: string | undefined } {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const end = bytes.indexOf(0);
  if (end === -1) return { id: bytes, rest: undefined };
  return { id: bytes.subarray(0, end), rest: bytes.toString('latin1', end + 1) };
}

/** How the ordinal of an entry is written. */
export function digits(ordinal: number): string {
  if (ordinal < 0 || ordinal >= mostEntries) throw new TypeError(`no log has an entry ${ordinal}`);
  return String(ordinal).padStart(ordinalDigits, '0');
}
