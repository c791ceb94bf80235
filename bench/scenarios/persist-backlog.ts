import { join } from 'node:path';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { type BareOptions, bareBatches, benchDirectory, removeDirectory } from '../support/bare.ts';
import { type Contestant, contest, report } from '../support/contest.ts';
import { entryPool, sessionIds } from '../support/entries.ts';
import { fillQueue, openQueue, openStore, worker } from '../support/pipeline.ts';

const sessions = 5_000;
const mebibyte = 1024 * 1024;

/** Options that a bare loop can be given; the best one counts. */
const bareOptions: Readonly<Record<string, BareOptions>> = {
  'bare, 64 MiB write buffer': { writeBufferSize: 64 * mebibyte, compression: true },
  'bare, 64 MiB write buffer, no compression': { writeBufferSize: 64 * mebibyte, compression: false },
};

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

/** The same entries under keys of session and ordinal. */
function* keyedEntries(ids: readonly SessionId[], count: number): Generator<readonly [Uint8Array, Uint8Array]> {
  const entries = entryPool(4096);
  const prefixes = ids.map((id) => Buffer.concat([Buffer.from(id, 'utf8'), Buffer.from([0])]));
  for (let index = 0; index < count; index += 1) {
    const prefix = prefixes[index % prefixes.length];
    const entry = entries[index % entries.length];
    if (prefix === undefined || entry === undefined) return;
    const key = Buffer.allocUnsafe(prefix.length + 4);
    key.set(prefix);
    key.writeUInt32BE(Math.floor(index / prefixes.length), prefix.length);
    yield [key, entry];
  }
}
