import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { type LevelStore, openLevelStore } from '../../src/stores/level/level-store.ts';

function open(directory: string): Promise<LevelStore> {
  return openLevelStore({ directory, files: nodeFileSystem, clock: systemClock, newId: randomUUID });
}

export const levelHarness: StoreHarness = {
  capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'own', backup: true },
  async create() {
    const parent = await mkdtemp(join(tmpdir(), 'level-store-'));
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
