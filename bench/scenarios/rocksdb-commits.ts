import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { sign } from '../../src/stores/rocksdb/layout.ts';
import { Operations } from '../../src/stores/rocksdb/packing.ts';
import { openRocksdbStore } from '../../src/stores/rocksdb/rocksdb-store.ts';
import { fillOperations } from '../../src/stores/rocksdb/write-plan.ts';
import { appendPlans } from '../store/commit-plans.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { alternate, ratesOf, ratios, tellRates, tellRatio } from '../support/contest.ts';
import { sessionIds } from '../support/entries.ts';
import { UpstreamProgram } from '../support/upstream-program.ts';

const sessions = 500;
const perCommit = 512;
/** One synced append at a time needs no more to be measured. */
const oneByOne = 2_000;

const ours = 'rocksdb store';
const bare = 'the crate rocksdb, the very same batches';
const entriesOnly = 'the crate rocksdb, the log entries alone';
const upstream = 'macp-storage 0.13.0, one synced append an entry';

/**
 * Commits into RocksDB, beside a Rust program that writes the very same batches, cursors and position included, without
 * checks, totals and JavaScript; one that writes the log entries alone; and macp-storage itself. Only writing is timed, not what a
 * worker has decided before.
 */
export async function commitToRocksdb(commands: number, rounds: number): Promise<boolean> {
  if (!UpstreamProgram.isThere) {
    console.log('\nCommits into RocksDB: left out, as there is no cargo to build the Rust program with');
    return true;
  }
  const directory = await benchDirectory('rocksdb');
  await using program = await UpstreamProgram.provide(sessions);
  const batches = join(directory, 'batches');
  writeBatches(batches, commands);
  let databases = 0;
  const fresh = async (rate: (place: string) => Promise<number>): Promise<number> => {
    databases += 1;
    const place = join(directory, `database-${databases}`);
    try {
      return await rate(place);
    } finally {
      await removeDirectory(place);
    }
  };
  try {
    const result = await alternate(rounds, [
      { name: ours, rate: () => fresh((place) => commits(place, commands)) },
      { name: bare, rate: () => fresh((place) => program.batchRate(place, batches, commands)) },
      { name: entriesOnly, rate: () => fresh((place) => program.rate('entries', place, commands, perCommit)) },
      { name: upstream, rate: () => fresh((place) => program.rate('rocksdb', place, oneByOne)) },
    ]);
    tellRates(`Committing ${commands} appends of ${sessions} interleaved sessions, synced`, 'entries', result);
    const rates = ratesOf(result, ours);
    const besideCrate = tellRatio(`beside ${bare}`, ratios(rates, ratesOf(result, bare)), 0.7);
    tellRatio(`beside ${entriesOnly}`, ratios(rates, ratesOf(result, entriesOnly)));
    const besideUpstream = tellRatio(`beside ${upstream}`, ratios(rates, ratesOf(result, upstream)), 10);
    return besideCrate && besideUpstream;
  } finally {
    await removeDirectory(directory);
  }
}

async function commits(directory: string, commands: number): Promise<number> {
  const platform = `${process.platform}-${process.arch}`;
  await using store = await openRocksdbStore({ directory, platform, files: nodeFileSystem, newId: randomUUID });
  let milliseconds = 0;
  for (const plan of appendPlans(sessionIds(sessions), commands, perCommit)) {
    const start = performance.now();
    await store.commit(plan);
    milliseconds += performance.now() - start;
  }
  return (commands * 1000) / milliseconds;
}

/** What the store writes with each commit, each batch behind its length. */
function writeBatches(path: string, commands: number): void {
  const operations = new Operations();
  let sequence = 0;
  const file = openSync(path, 'w');
  try {
    for (const plan of appendPlans(sessionIds(sessions), commands, perCommit)) {
      fillOperations(operations, plan, undefined, { hasReceipts: false });
      sign(operations, { sequence });
      sequence += operations.count;
      const length = Buffer.alloc(4);
      length.writeUInt32LE(operations.length);
      writeSync(file, length);
      writeSync(file, operations.bytes, 0, operations.length);
      operations.clear();
    }
  } finally {
    closeSync(file);
  }
}
