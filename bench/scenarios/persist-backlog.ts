import { join } from 'node:path';
import { type BareOptions, bareBatches, bareOptions, benchDirectory, removeDirectory } from '../support/bare.ts';
import { type Contestant, contest, report } from '../support/contest.ts';
import { keyedEntries, sessionIds } from '../support/entries.ts';
import { fillQueue, openQueue, openStore, worker } from '../support/pipeline.ts';

const sessions = 5_000;

/**
 * A backlog in the embedded queue, persisted into the level store, every commit synced; beside bare synced 512-entry
 * chained batches of the same entries under the same number of keys.
 */
export async function persistBacklog(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('persist');
  try {
    const queueDirectory = join(directory, 'queue');
    await using filled = await openQueue(queueDirectory);
    await fillQueue(filled, sessions, commands);
    await filled.close();
    const contestants = [
      ours(queueDirectory, join(directory, 'store')),
      ...Object.entries(bareOptions).map(([name, options]) => bare(name, options, join(directory, 'bare'), commands)),
    ];
    const title = `Persisting a backlog of ${commands} commands of ${sessions} interleaved sessions`;
    return report(title, 'entries', await contest(rounds, contestants), 0.8);
  } finally {
    await removeDirectory(directory);
  }
}

function ours(queueDirectory: string, storeDirectory: string): Contestant {
  return {
    name: 'embedded queue -> pipeline -> level store',
    async run() {
      await using queue = await openQueue(queueDirectory);
      await using store = await openStore(storeDirectory);
      await using pipeline = worker(queue, store);
      const { tally } = await pipeline.runUntilCaughtUp();
      return tally.applied;
    },
    clear: () => removeDirectory(storeDirectory),
  };
}

function bare(name: string, options: BareOptions, directory: string, count: number): Contestant {
  return {
    name,
    run: () => bareBatches(directory, options, keyedEntries(sessionIds(sessions), count), 512),
    clear: () => removeDirectory(directory),
  };
}
