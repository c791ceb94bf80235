import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { type FileStore, openFileStore } from '../../src/stores/file/file-store.ts';

/** Checkpoints so often that the laws meet them. */
const checkpointBytes = 20_000;

function open(directory: string): Promise<FileStore> {
  return openFileStore({ directory, files: nodeFileSystem, newId: randomUUID, checkpointBytes, openLogs: 4 });
}

export const fileHarness: StoreHarness = {
  capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'upstream', backup: true },
  async create() {
    const parent = await mkdtemp(join(tmpdir(), 'file-store-'));
    const directory = join(parent, 'store');
    let store = await open(directory);
    let backups = 0;
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await open(directory);
    };
    return {
      get store() {
        return store;
      },
      reopen,
      backups: {
        newDirectory() {
          backups += 1;
          return join(parent, 'backups', `${backups}`);
        },
        open,
        async putBack(backup) {
          await store.close();
          await rm(directory, { recursive: true });
          await rename(backup, directory);
          await reopen();
        },
      },
      async dispose() {
        await store.close();
        await rm(parent, { recursive: true });
      },
    };
  },
};
