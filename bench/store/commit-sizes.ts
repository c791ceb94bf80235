import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { bareBatches, benchDirectory, removeDirectory } from '../support/bare.ts';
import { type Contestant, contest, report } from '../support/contest.ts';
import { entryPool, sessionIds } from '../support/entries.ts';
import { appendPlans } from './commit-plans.ts';

const sessions = 5_000;
const mebibyte = 1024 * 1024;

/**
 * The level store alone, at several numbers of commands a commit: a commit writes one cursor a touched session, so
 * small commits of many sessions write almost two records a command. Beside bare synced batches of 512 entries.
 * Nothing is asked of the ratio: here nothing is decided while a commit is written, as the pipeline does.
 */
export async function commitSizes(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('commits');
  try {
    const contestants = [
      ...[16_384, 8_192, 2_048, 512].map((size) => commits(join(directory, 'store'), commands, size)),
      bare(join(directory, 'bare'), commands, false),
      bare(join(directory, 'bare'), commands, true),
    ];
    const title = `Committing ${commands} appends of ${sessions} interleaved sessions`;
    return report(title, 'entries', await contest(rounds, contestants));
  } finally {
    await removeDirectory(directory);
  }
}

function commits(directory: string, commands: number, size: number): Contestant {
  return {
    name: `level store, ${size} a commit`,
    async run() {
      await using store = await openLevelStore({
        directory,
        files: nodeFileSystem,
        clock: systemClock,
        newId: randomUUID,
      });
      for (const plan of appendPlans(sessionIds(sessions), commands, size)) await store.commit(plan);
      return commands;
    },
    clear: () => removeDirectory(directory),
  };
}

function bare(directory: string, commands: number, compression: boolean): Contestant {
  return {
    name: `bare batches of 512, ${compression ? 'compressed' : 'not compressed'}`,
    run: () => bareBatches(directory, { writeBufferSize: 64 * mebibyte, compression }, keyedEntries(commands), 512),
    clear: () => removeDirectory(directory),
  };
}

function* keyedEntries(count: number): Generator<readonly [Uint8Array, Uint8Array]> {
  const entries = entryPool(4096);
  const keys = sessionIds(sessions).map((id) => Buffer.concat([Buffer.from(id, 'utf8'), Buffer.alloc(5)]));
  for (let index = 0; index < count; index += 1) {
    const key = keys[index % keys.length];
    const entry = entries[index % entries.length];
    if (key === undefined || entry === undefined) return;
    key.writeUInt32BE(Math.floor(index / keys.length), key.length - 4);
    yield [key, entry];
  }
}
