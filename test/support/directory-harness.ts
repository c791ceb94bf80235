import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import type { Store, StoreCapabilities } from '../../src/ports/store.ts';

/** The harness of a store that lies in a directory of one process, and copies itself: `open` opens one, or a backup. */
export function directoryHarness(
  layout: StoreCapabilities['layout'],
  prefix: string,
  open: (directory: string) => Promise<Store>,
): StoreHarness {
  return {
    capabilities: { durable: true, shared: false, atomicPositions: true, layout, backup: true },
    async create() {
      const parent = await mkdtemp(join(tmpdir(), prefix));
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
}
