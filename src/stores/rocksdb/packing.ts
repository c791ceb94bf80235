import type { Key } from '../../embedded-store/record-keys.ts';
import { type Family, families } from './families.ts';

/*
 * How operations, keys and values travel between here and the addon: packed into one buffer, because crossing once for
 * each costs more than packing it. Lengths are unsigned 32-bit numbers, little-endian.
 * `native/rocksdb/src/packing.rs` is the other side.
 */

const lengthBytes = 4;
/** The length that says that there is no value. */
const absent = 0xffff_ffff;
const kinds = { put: 0, remove: 1, removeRange: 2 } as const;
/** The buffer is kept for the next commit unless it grew beyond this. */
const keptBytes = 16 * 1024 * 1024;

/** The operations of one atomic step. Filled, written, and filled again. */
export class Operations {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;
  #count = 0;

  /** How many operations there are. */
  get count(): number {
    return this.#count;
  }

  /** What {@link length} bytes of are the operations, valid until the next one is added. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  put(family: Family, key: Key, value: Uint8Array): void {
    this.#begin(kinds.put, family, 2 * lengthBytes + key.length + value.length);
    this.#add(key);
    this.#add(value);
  }

  remove(family: Family, key: Key): void {
    this.#begin(kinds.remove, family, lengthBytes + key.length);
    this.#add(key);
  }

  /** Removes the keys from `from` to before `to`. */
  removeRange(family: Family, from: Key, to: Key): void {
    this.#begin(kinds.removeRange, family, 2 * lengthBytes + from.length + to.length);
    this.#add(from);
    this.#add(to);
  }

  clear(): void {
    this.#length = 0;
    this.#count = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.allocUnsafeSlow(keptBytes);
  }

  #begin(kind: number, family: Family, bytes: number): void {
    const needed = this.#length + 2 + bytes;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#bytes[this.#length++] = kind;
    this.#bytes[this.#length++] = families.indexOf(family);
    this.#count += 1;
  }

  #add(bytes: Uint8Array): void {
    this.#length = this.#bytes.writeUInt32LE(bytes.length, this.#length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Keys, packed. */
export function packKeys(keys: readonly Key[]): Uint8Array {
  const packed = Buffer.allocUnsafeSlow(keys.reduce((sum, key) => sum + lengthBytes + key.length, 0));
  let at = 0;
  for (const key of keys) {
    at = packed.writeUInt32LE(key.length, at);
    packed.set(key, at);
    at += key.length;
  }
  return packed;
}

/** Values in the order of the keys that were asked for; undefined where there is none. */
export function unpackValues(packed: Buffer): readonly (Uint8Array | undefined)[] {
  const values: (Uint8Array | undefined)[] = [];
  let at = 0;
  while (at < packed.length) {
    const length = packed.readUInt32LE(at);
    at += lengthBytes;
    values.push(length === absent ? undefined : packed.subarray(at, at + length));
    if (length !== absent) at += length;
  }
  return values;
}

/** A page: whether its range ends with it, and everything in it in order. */
export interface UnpackedPage {
  readonly isLast: boolean;
  readonly parts: readonly Uint8Array[];
}

/** What a page holds: values, or keys and values by turns. */
export function unpackPage(packed: Buffer): UnpackedPage {
  const parts: Uint8Array[] = [];
  let at = 1;
  while (at < packed.length) {
    const length = packed.readUInt32LE(at);
    at += lengthBytes;
    parts.push(packed.subarray(at, at + length));
    at += length;
  }
  return { isLast: packed[0] === 1, parts };
}
