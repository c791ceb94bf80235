import type { Key, KeyRange } from './record-keys.ts';

/** The records asked for, in the order of their keys. */
export interface RecordRange extends KeyRange {
  /** Most records to read. */
  readonly limit?: number | undefined;
  /** Most records a page. */
  readonly pageRecords?: number | undefined;
}

/** Ordered keys and values in which an engine keeps a store's own records (`record-keys.ts`). */
export interface Records {
  /** The values, in the order of the keys; undefined where there is none. */
  getMany(keys: readonly Key[]): Promise<readonly (Uint8Array | undefined)[]>;
  hasMany(keys: readonly Key[]): Promise<readonly boolean[]>;
  /** The range as of one moment, in pages of bounded size. What it needs is released when the loop ends. */
  pages(range: RecordRange): AsyncIterable<readonly (readonly [Key, Uint8Array])[]>;
}
