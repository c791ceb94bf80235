import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Values } from '../../configuration/settings.ts';
import { backupDirectory, queueAddress, storeAddress } from '../open.ts';

/** A directory that the settings use. */
export interface Place {
  readonly name: string;
  readonly path: string;
  /** The setting that names it. */
  readonly setting: string;
  /** True where commands and sessions are kept. */
  readonly keepsData: boolean;
}

/** A place as it is found: itself, or, before it is made, the nearest directory above it. */
export interface FoundPlace {
  readonly path: string;
  readonly exists: boolean;
  readonly stats: Stats;
}

/** The directories that the settings use, each path once. */
export function placesOf(values: Values): readonly Place[] {
  const store = storeAddress(values);
  const queue = queueAddress(values);
  const places: readonly Place[] = [
    { name: 'data directory', path: resolve(values.dataDir), setting: 'dataDir', keepsData: true },
    ...('directory' in store
      ? [{ name: 'store directory', path: store.directory, setting: 'store', keepsData: true }]
      : []),
    ...('directory' in queue
      ? [{ name: 'queue directory', path: queue.directory, setting: 'queue', keepsData: true }]
      : []),
    ...(queue.kind === 'bullmq' && values['bullmq.archive'] !== undefined
      ? [
          {
            name: 'archive directory',
            path: resolve(values['bullmq.archive']),
            setting: 'bullmq.archive',
            keepsData: true,
          },
        ]
      : []),
    {
      name: 'backup directory',
      path: backupDirectory(values),
      setting: 'service.backupDirectory',
      keepsData: false,
    },
    { name: 'temporary directory', path: tmpdir(), setting: 'the environment variable TMPDIR', keepsData: false },
  ];
  return places.filter(({ path }, index) => places.findIndex((other) => other.path === path) === index);
}

/** Throws what the operating system says of a place that cannot be looked at, other than that it is not there. */
export async function findPlace(path: string): Promise<FoundPlace> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return { path: at, exists: at === path, stats: await stat(at) };
    } catch (error) {
      const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isAbsent || dirname(at) === at) throw error;
    }
  }
}
