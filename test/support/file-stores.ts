import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEvent, messageOfEvent } from '../../src/domain/wire/structured.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { type FileStore, type FileStoreOptions, openFileStore } from '../../src/stores/file/file-store.ts';
import { rawDelivery, ScriptedQueue } from './scripted-queue.ts';

/** Opens the file store in `directory`. */
export function openFiles(directory: string, options: Partial<FileStoreOptions> = {}): Promise<FileStore> {
  return openFileStore({ directory, files: nodeFileSystem, newId: randomUUID, ...options });
}

/** A directory that is removed when it is disposed of. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'file-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** Persists recorded lines, `together` a commit. */
export async function persistLines(
  store: Store,
  lines: readonly Uint8Array[],
  together: number,
  source?: string,
): Promise<void> {
  const queue = new ScriptedQueue(source);
  for (let from = 0; from < lines.length; from += together) {
    const batch = lines.slice(from, from + together);
    queue.addDeliveries(
      batch.map((line) => rawDelivery(decodeEvent(line), messageOfEvent(line), queue.nextPosition())),
    );
  }
  const options = { cachedSessions: 10, backoff: { initial: 1, maximum: 1 } };
  const limits = { deliveries: together, bytes: 1e9 };
  await using pipeline = new Pipeline({ queue, store, clock: systemClock, limits, ...options });
  await pipeline.runUntilCaughtUp();
}

/** All files below a directory by path, and directories (undefined), without what is ours. */
export async function upstreamFiles(directory: string): Promise<ReadonlyMap<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  const names = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .map((entry) => ({ path: join(entry.parentPath, entry.name).slice(directory.length + 1), entry }))
    .filter(({ path }) => !path.startsWith('.macp-persist'))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
  for (const { path, entry } of names) {
    found.set(path, entry.isDirectory() ? undefined : await readFile(join(directory, path), 'utf8'));
  }
  return found;
}
