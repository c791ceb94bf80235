import type { Database } from './database.ts';

/** What classic-level's chained batch does beneath the bookkeeping of abstract-level. */
interface NativeBatch {
  _put(key: Uint8Array, value: Uint8Array): void;
  _del(key: Uint8Array): void;
  _clear(): void;
  _write(options: { readonly sync: boolean }): Promise<void>;
}

/**
 * The one batch that all commits of a database fill, write and empty again.
 *
 * It calls the methods that abstract-level defines for its implementations, because the public ones end a batch with
 * its write, and the memory of an ended one goes only when garbage collection finds it: 50 to 80 MiB more at 8,192 to
 * 16,384 entries a commit, and 0.5 us more an operation (docs/decisions/0007-level-layout.md).
 */
export class ReusedBatch {
  readonly #native: NativeBatch;

  constructor(database: Database) {
    this.#native = nativeBatch(database.batch());
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#native._put(key, value);
  }

  del(key: Uint8Array): void {
    this.#native._del(key);
  }

  /** Writes everything put since the last write as one atomic step, and syncs it unless told not to. */
  async write(options: { readonly sync: boolean } = { sync: true }): Promise<void> {
    await this.#native._write(options);
    this.#native._clear();
  }

  /** Forgets what was put. */
  clear(): void {
    this.#native._clear();
  }
}

function nativeBatch(batch: object): NativeBatch {
  for (const method of ['_put', '_del', '_clear', '_write'] as const) {
    if (typeof (batch as Partial<NativeBatch>)[method] !== 'function') {
      throw new TypeError(`this version of classic-level has no batch.${method}`);
    }
  }
  return batch as NativeBatch;
}
