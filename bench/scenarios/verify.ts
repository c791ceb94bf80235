import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { StoreSource } from '../../src/transfer/store-source.ts';
import { compareStores } from '../../src/verify/compare-stores.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { type Contestant, contest, report } from '../support/contest.ts';
import { fillStore } from '../support/fill-store.ts';
import { openStore } from '../support/pipeline.ts';

const sides = ['first', 'second'] as const;

/** Comparing two stores of the same entries, beside a bare iterator over everything in both of them. */
export async function verifyStores(entries: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('verify');
  const places = sides.map((side) => join(directory, side));
  try {
    for (const place of places) await fillStore(place, entries);
    const contestants = [ours(places, entries), bare(places, entries)];
    return report(`Comparing two stores of ${entries} entries`, 'entries', await contest(rounds, contestants), 0.5);
  } finally {
    await removeDirectory(directory);
  }
}

function ours(places: readonly string[], entries: number): Contestant {
  return {
    name: 'verify, digests of both, 4 sessions at a time',
    async run() {
      const [first = '', second = ''] = places;
      await using one = new StoreSource(await openStore(first));
      await using other = new StoreSource(await openStore(second));
      const { differences } = await compareStores(
        { first: one, second: other, scope: 'everything' },
        { signal: new AbortController().signal, onProgress: () => undefined, onDifference: async () => undefined },
      );
      if (differences > 0) throw new Error(`${differences} differences between two stores that are the same`);
      return 2 * entries;
    },
  };
}

function bare(places: readonly string[], entries: number): Contestant {
  return {
    name: 'bare iterators over both, side by side',
    async run() {
      const counts = await Promise.all(places.map(iterate));
      if (counts.some((records) => records < entries)) throw new Error('a store lacks entries');
      return 2 * entries;
    },
  };
}

/** Reads every value; returns how many there are. */
async function iterate(place: string): Promise<number> {
  await using database = new ClassicLevel<Uint8Array, Uint8Array>(place, {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await database.open();
  await using iterator = database.values({ highWaterMarkBytes: 1024 * 1024 });
  let records = 0;
  for (;;) {
    const values = await iterator.nextv(1000);
    if (values.length === 0) return records;
    records += values.length;
  }
}
