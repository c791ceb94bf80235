import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';

export const levelHarness: StoreHarness = {
  capabilities: { durable: true, shared: false, atomicPositions: true, layout: 'own', backup: true },
  async create() {
    const parent = await mkdtemp(join(tmpdir(), 'level-store-'));
    const options = { directory: join(parent, 'store'), files: nodeFileSystem, clock: systemClock, newId: randomUUID };
    let store = await openLevelStore(options);
    return {
      get store() {
        return store;
      },
      async reopen() {
        await store.close();
        store = await openLevelStore(options);
      },
      async dispose() {
        await store.close();
        await rm(parent, { recursive: true });
      },
    };
  },
};
