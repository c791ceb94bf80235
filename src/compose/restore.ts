import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { fileExists } from './file-exists.ts';
import { fileFailure } from './file-failure.ts';
import { backupDirectory, openExistingStore, storeAddress, storeExists } from './open.ts';

export interface RestoreRequest {
  readonly values: Values;
  /** The name of a backup in the place for backups, or a path. */
  readonly backup: string;
  /** Ends the restoring with `ABORTED`, as if it had not begun. */
  readonly signal: AbortSignal;
  /** Told how many files are copied. */
  onProgress(files: number): void;
}

/** What lies in the store's place now. */
export interface RestoreReport {
  readonly from: string;
  readonly to: string;
  /** Of the store that the backup was made of: queues and consumer groups know the restored one by it. */
  readonly store: string;
  readonly sessions: number;
  readonly files: number;
}

type Directory = Extract<StoreAddress, { readonly directory: string }>;

/**
 * Puts a copy of a backup into the place of the configured store, which must be free. The copy is durable, and whole,
 * and was opened, before anything of it lies there. Throws `NOT_STORED` when there is no such backup,
 * `TARGET_NOT_EMPTY`, `NOT_SUPPORTED` for a store that lies in no directory, `ABORTED`, `DISK_FULL`, `STORE_IO_FAILED`,
 * and what opening says of a copy that is no store of this kind, or a damaged one.
 */
export async function restore(request: RestoreRequest): Promise<RestoreReport> {
  const { values, backup } = request;
  const to = directoryOf(storeAddress(values));
  const from = { ...to, directory: placeOf(backup, values) };
  if (!(await storeExists(from, values))) {
    throw new PersistenceError('NOT_STORED', `there is no backup of a ${to.kind} store in ${from.directory}`);
  }
  if (await storeExists(to, values)) {
    throw new PersistenceError(
      'TARGET_NOT_EMPTY',
      `there is a store at ${showAddress(to)}: move it away first, it may be needed yet`,
    );
  }
  try {
    return { from: showAddress(from), to: showAddress(to), ...(await place(from.directory, to, request)) };
  } catch (error) {
    throw fileFailure(error, `nothing was restored: ${from.directory} cannot be copied to ${to.directory}`);
  }
}

function directoryOf(address: StoreAddress): Directory {
  if ('directory' in address) return address;
  throw new PersistenceError(
    'NOT_SUPPORTED',
    `${showAddress(address)} lies in no directory: copy into it with export --store KIND:BACKUP --to`,
  );
}

function placeOf(backup: string, values: Values): string {
  return backup.includes(sep) ? resolve(backup) : join(backupDirectory(values), backup);
}

type Placed = Pick<RestoreReport, 'store' | 'sessions' | 'files'>;

/** Copies one directory to the place of another, all of it or nothing; a file store also beside what lies there. */
async function place(
  from: string,
  address: Directory,
  { values, signal, onProgress }: RestoreRequest,
): Promise<Placed> {
  const { kind, directory: to } = address;
  const isFree = await isEmpty(to);
  if (!isFree && kind !== 'file') {
    throw new PersistenceError('TARGET_NOT_EMPTY', `${to} holds something else: move it away first`);
  }
  const draft = isFree ? join(dirname(to), `${draftName}-${basename(to)}`) : join(to, draftName);
  await rm(draft, { recursive: true, force: true });
  let files = 0;
  try {
    for await (const _ of copyDurably(from, draft, signal)) {
      files += 1;
      onProgress(files);
    }
    const restored = await examine({ ...address, directory: draft }, values);
    // In the place of an empty directory as well.
    if (isFree) await rename(draft, to);
    else await moveInto(to, draft);
    await syncPath(isFree ? dirname(to) : to);
    return { ...restored, files };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** What the store at an address is. It throws for what is none, or damaged. */
async function examine(address: Directory, values: Values): Promise<Omit<Placed, 'files'>> {
  await using store = await openExistingStore(address, values);
  const { sessions } = await store.readTotals();
  return { store: store.identity.id, sessions };
}

const draftName = '.unfinished-restore';

async function* copyDurably(from: string, to: string, signal: AbortSignal): AsyncGenerator<string> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (signal.aborted) throw new PersistenceError('ABORTED', 'interrupted: nothing was restored');
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) yield* copyDurably(source, target, signal);
    else {
      await copyFile(source, target);
      await syncPath(target);
      yield target;
    }
  }
  await syncPath(to);
}

/**
 * Moves what lies in the draft beside what lies in macp-runtime's data directory. What makes it a store of ours comes
 * first: without its sessions such a store does not open, while sessions alone would be taken for macp-runtime's.
 */
async function moveInto(to: string, draft: string): Promise<void> {
  const entries = (await readdir(draft)).sort();
  for (const entry of entries) {
    if (!(await fileExists(join(to, entry)))) continue;
    throw new PersistenceError('TARGET_NOT_EMPTY', `${join(to, entry)} is there already: move it away first`);
  }
  // Names with a dot sort first: `.macp-persist` is one.
  for (const entry of entries) await rename(join(draft, entry), join(to, entry));
}

/** True where no directory is, or one with nothing in it. */
async function isEmpty(path: string): Promise<boolean> {
  return !(await fileExists(path)) || (await readdir(path)).length === 0;
}

/** Makes a file, or the entries of a directory, survive a power cut. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
