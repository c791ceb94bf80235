import type { Key } from '../../embedded-store/record-keys.ts';
import type { NativeDatabase, NativeMeasured, NativeOpenOptions, RocksdbAddon } from './addon.ts';
import { type Family, families } from './families.ts';
import { type Operations, packKeys, unpackPage, unpackValues } from './packing.ts';
import { fromAddon } from './rocksdb-error.ts';

const mebibyte = 1024 * 1024;

/** Bytes of blocks of tables that are kept in memory. */
const cacheBytes = 16 * mebibyte;

/** How a database is opened to be written. */
export interface WritableOptions {
  /** Whether to make the family of receipts, too. */
  readonly createReceipts: boolean;
  /** Bytes of a family's newest records that are kept in memory before they become a table. */
  readonly writeBufferBytes: number;
}

/** Which records of a family, from the first key to before the second one. */
export interface FamilyRange {
  readonly family: Family;
  readonly from: Key;
  readonly to: Key;
}

/** Most that a page holds, but at least one record. */
export interface PageSize {
  readonly records: number;
  readonly bytes: number;
}

/** Keeps the database as it was at one moment readable, until it is released. */
export type DatabaseSnapshot = number;

/** An open database. Everything it does runs on the thread pool; failures are `RocksdbError`s. */
export class RocksDatabase {
  readonly #native: NativeDatabase;
  #hasReceipts: boolean;
  #sequence: number;

  private constructor(native: NativeDatabase, hasReceipts: boolean, sequence: number) {
    this.#native = native;
    this.#hasReceipts = hasReceipts;
    this.#sequence = sequence;
  }

  /** Opens the database in `directory`, which exists; makes it, and the families of every release, where missing. */
  static open(addon: RocksdbAddon, directory: string, options: WritableOptions): Promise<RocksDatabase> {
    return openNative(addon, directory, { ...options, create: true, readOnly: false, cacheBytes });
  }

  /** Opens a database that is there, and may be open elsewhere, for nothing but reading it as it is now. */
  static openReadOnly(addon: RocksdbAddon, directory: string): Promise<RocksDatabase> {
    const unused = { createReceipts: false, writeBufferBytes: mebibyte };
    return openNative(addon, directory, { ...unused, create: false, readOnly: true, cacheBytes: mebibyte });
  }

  static async of(native: NativeDatabase): Promise<RocksDatabase> {
    const hasReceipts = await fromAddon(native.hasReceipts());
    return new RocksDatabase(native, hasReceipts, await fromAddon(native.sequence()));
  }

  /** Whether there is the family of receipts and anchors. */
  get hasReceipts(): boolean {
    return this.#hasReceipts;
  }

  /** Those that there are. */
  get families(): readonly Family[] {
    return families.filter((family) => family !== 'receipts' || this.#hasReceipts);
  }

  /** RocksDB's number of the last operation that was written: each one, deletions included, raises it by one. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Makes the family of receipts: from then on releases of macp-storage before 0.13.0 do not open the database. */
  async createReceipts(): Promise<void> {
    if (this.#hasReceipts) return;
    await fromAddon(this.#native.createReceipts());
    this.#hasReceipts = true;
  }

  /** Writes the operations as one atomic step; resolves once it is synced. They are there afterwards as before. */
  async write(operations: Operations): Promise<void> {
    await fromAddon(this.#native.write(operations.bytes, operations.length));
    this.#sequence += operations.count;
  }

  /** The values, in the order of the keys; undefined where there is none. */
  async getMany(
    family: Family,
    keys: readonly Key[],
    snapshot?: DatabaseSnapshot,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return unpackValues(await fromAddon(this.#native.getMany(family, packKeys(keys), snapshot)));
  }

  async get(family: Family, key: Key, snapshot?: DatabaseSnapshot): Promise<Uint8Array | undefined> {
    return (await this.getMany(family, [key], snapshot))[0];
  }

  /** The next records of the range, and whether there are no more in it. */
  async records(
    { family, from, to }: FamilyRange,
    { records, bytes }: PageSize,
    snapshot: DatabaseSnapshot,
  ): Promise<{ readonly records: readonly (readonly [Key, Uint8Array])[]; readonly isLast: boolean }> {
    const page = await fromAddon(this.#native.page(family, from, to, true, records, bytes, snapshot));
    const { parts, isLast } = unpackPage(page);
    const found: (readonly [Key, Uint8Array])[] = [];
    for (let at = 0; at + 1 < parts.length; at += 2) {
      found.push([parts[at] as Uint8Array, parts[at + 1] as Uint8Array]);
    }
    return { records: found, isLast };
  }

  /** The next values of the range. */
  async values(
    { family, from, to }: FamilyRange,
    { records, bytes }: PageSize,
    snapshot: DatabaseSnapshot,
  ): Promise<readonly Uint8Array[]> {
    return unpackPage(await fromAddon(this.#native.page(family, from, to, false, records, bytes, snapshot))).parts;
  }

  takeSnapshot(): Promise<DatabaseSnapshot> {
    return fromAddon(this.#native.takeSnapshot());
  }

  /** Does nothing where the database was closed: then none is left. */
  releaseSnapshot(snapshot: DatabaseSnapshot): Promise<void> {
    return fromAddon(this.#native.releaseSnapshot(snapshot));
  }

  /** Copies the database as it is now into the new directory, on one file system by links to files that never change. */
  checkpoint(directory: string): Promise<void> {
    return fromAddon(this.#native.checkpoint(directory));
  }

  /** Reads a family from a key on, checksums included, until about so many bytes of it are read. */
  measure(family: Family, from: Key, bytes: number): Promise<NativeMeasured> {
    return fromAddon(this.#native.measure(family, from, bytes));
  }

  /** Waits for what is under way. Once it resolves, another process can open the database. */
  close(): Promise<void> {
    return fromAddon(this.#native.close());
  }
}

async function openNative(addon: RocksdbAddon, directory: string, options: NativeOpenOptions): Promise<RocksDatabase> {
  const native = new addon.Database();
  await fromAddon(native.open(directory, options));
  try {
    return await RocksDatabase.of(native);
  } catch (error) {
    await native.close();
    throw error;
  }
}
