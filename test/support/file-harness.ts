import { randomUUID } from 'node:crypto';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { openFileStore } from '../../src/stores/file/file-store.ts';
import { directoryHarness } from './directory-harness.ts';

/** Checkpoints so often that the laws meet them. */
const checkpointBytes = 20_000;

export const fileHarness = directoryHarness('upstream', 'file-store-', (directory) =>
  openFileStore({ directory, files: nodeFileSystem, newId: randomUUID, checkpointBytes, openLogs: 4 }),
);
