import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PersistenceError } from '../../domain/errors.ts';

/** How the addon opens a database: `native/rocksdb/src/tuning.rs`. */
export interface NativeOpenOptions {
  readonly create: boolean;
  readonly createReceipts: boolean;
  readonly readOnly: boolean;
  readonly writeBufferBytes: number;
  readonly cacheBytes: number;
}

/**
 * A database of the addon's. Everything runs on the thread pool; what fails rejects with an error whose message is
 * `CODE text`. Buffers that are handed over must not change until the promise settles.
 */
export interface NativeDatabase {
  open(directory: string, options: NativeOpenOptions): Promise<void>;
  close(): Promise<void>;
  hasReceipts(): Promise<boolean>;
  createReceipts(): Promise<void>;
  sequence(): Promise<number>;
  write(operations: Uint8Array, length: number): Promise<void>;
  getMany(family: string, keys: Uint8Array, snapshot?: number): Promise<Buffer>;
  page(
    family: string,
    from: Uint8Array,
    to: Uint8Array,
    keys: boolean,
    records: number,
    bytes: number,
    snapshot?: number,
  ): Promise<Buffer>;
  takeSnapshot(): Promise<number>;
  releaseSnapshot(snapshot: number): Promise<void>;
  checkpoint(directory: string): Promise<void>;
  measure(family: string, from: Uint8Array, bytes: number): Promise<NativeMeasured>;
}

/** What was read of a family; `next`: the key of the next record where there is one. */
export interface NativeMeasured {
  readonly records: number;
  readonly bytes: number;
  readonly next?: Buffer;
}

export interface RocksdbAddon {
  readonly INTERFACE_VERSION: number;
  readonly Database: new () => NativeDatabase;
}

/** The face that this release expects of the addon. */
const interfaceVersion = 2;
const fileName = 'macp-persist-rocksdb.node';
const remedy = 'run "npm run rocksdb:build" (it needs Rust: https://rustup.rs), then start again';

/** Where the addon may lie: what was built here before what came with a release. `platform`: as `linux-x64`. */
export function addonPlaces(platform: string): readonly string[] {
  // From `src` as from `dist/src`.
  const roots = ['../../../', '../../../../'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const folders = ['native/rocksdb/built', `native/rocksdb/prebuilds/${platform}`];
  return roots.flatMap((root) => folders.map((folder) => `${root}${folder}/${fileName}`));
}

/**
 * Loads the addon from the first of `places` at which it lies. Throws `ADDON_MISSING`, which says what to run, when it
 * lies at none of them, cannot be loaded on this machine, or belongs to another release.
 */
export function loadAddon(places: readonly string[]): RocksdbAddon {
  const load = createRequire(import.meta.url);
  for (const place of places) {
    const addon = tryToLoad(load, place);
    if (addon === undefined) continue;
    if (addon.INTERFACE_VERSION === interfaceVersion) return addon;
    throw missing(`the RocksDB addon ${place} was built for another release`, undefined);
  }
  throw missing('the rocksdb store needs an addon that is not built on this machine yet', undefined);
}

function tryToLoad(load: NodeJS.Require, place: string): RocksdbAddon | undefined {
  try {
    return load(place);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw missing(`the RocksDB addon ${place} cannot be loaded (${reason})`, cause);
  }
}

function missing(what: string, cause: unknown): PersistenceError {
  return new PersistenceError('ADDON_MISSING', `${what}: ${remedy}`, { cause });
}
