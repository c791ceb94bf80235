import { randomUUID } from 'node:crypto';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { directoryHarness } from './directory-harness.ts';

export const levelHarness = directoryHarness('own', 'level-store-', (directory) =>
  openLevelStore({ directory, files: nodeFileSystem, clock: systemClock, newId: randomUUID }),
);
