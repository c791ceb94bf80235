import { randomUUID } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { openFileStore } from '../../src/stores/file/file-store.ts';
import { appendPlans } from '../store/commit-plans.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { alternate, ratesOf, ratios, tellRates, tellRatio } from '../support/contest.ts';
import { entryPool, sessionIds } from '../support/entries.ts';

/** Most bytes that a commit of a worker takes by default, in entries of this bench; and a small one. */
const commitSizes = [9_900, 512] as const;
/** One sync an entry needs no more to be measured. */
const oneByOne = 3_000;
/** Milliseconds that no commit may take, checkpoints beside it or not. */
const longestStall = 250;

const single = 'open to append, write, fdatasync: an entry each';

/**
 * Commits into macp-runtime's directory layout, over 50 and over 500 sessions, beside what macp-runtime's own file
 * backend does for the same appends: opening the log, writing the entry, one fdatasync, without cursors, positions,
 * checks and totals. Only writing is timed; enough is written for several checkpoints.
 */
export async function commitToFiles(commands: number, rounds: number): Promise<boolean> {
  let allMet = true;
  for (const sessions of [50, 500]) allMet = (await contestOver(sessions, commands, rounds)) && allMet;
  return allMet;
}

async function contestOver(sessions: number, commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('file');
  const stalls = new Map<string, number[]>();
  const cleared = (rate: () => Promise<number>) => async () => {
    await removeDirectory(directory);
    await mkdir(directory);
    return rate();
  };
  try {
    const ours = commitSizes.map((size) => ({
      name: `file store, ${size} a commit`,
      rate: cleared(() => commits(directory, sessions, commands, size, stalls)),
    }));
    const theirs = { name: single, rate: cleared(() => singles(directory, sessions)) };
    const result = await alternate(rounds, [...ours, theirs]);
    tellRates(`Committing ${commands} appends of ${sessions} interleaved sessions, durable`, 'entries', result);
    let allMet = true;
    for (const [index, { name }] of ours.entries()) {
      const besideSingles = ratios(ratesOf(result, name), ratesOf(result, single));
      // What a worker with a backlog commits is asked for.
      allMet = tellRatio(`${name}, beside ${single}`, besideSingles, index === 0 ? 30 : undefined) && allMet;
      allMet = tellStalls(name, stalls.get(`${commitSizes[index]}`) ?? []) && allMet;
    }
    return allMet;
  } finally {
    await removeDirectory(directory);
  }
}

/** Entries a second; the longest commit goes into `stalls`. */
async function commits(
  directory: string,
  sessions: number,
  commands: number,
  size: number,
  stalls: Map<string, number[]>,
): Promise<number> {
  await using store = await openFileStore({ directory, files: nodeFileSystem, newId: randomUUID });
  let longest = 0;
  let milliseconds = 0;
  const plans = appendPlans(sessionIds(sessions), size + commands, size);
  // The first one makes all sessions, as they are made before the others' appends are timed, too.
  const first = plans.next();
  if (first.done !== true) await store.commit(first.value);
  for (const plan of plans) {
    const start = performance.now();
    await store.commit(plan);
    const took = performance.now() - start;
    milliseconds += took;
    longest = Math.max(longest, took);
  }
  stalls.set(`${size}`, [...(stalls.get(`${size}`) ?? []), longest]);
  return (commands * 1000) / milliseconds;
}

async function singles(directory: string, sessions: number): Promise<number> {
  const folders = sessionIds(sessions).map((id) => join(directory, id));
  for (const folder of folders) await mkdir(folder);
  const entries = entryPool(oneByOne);
  const start = performance.now();
  for (const [index, entry] of entries.entries()) {
    const file = await open(join(folders[index % folders.length] as string, 'log.jsonl'), 'a');
    await file.write(Buffer.concat([entry, lineEnd]));
    await file.datasync();
    await file.close();
  }
  return (oneByOne * 1000) / (performance.now() - start);
}

const lineEnd = Buffer.of(0x0a);

/** What counts is the round in the middle: a shared machine stalls by itself at times. */
function tellStalls(name: string, rounds: readonly number[]): boolean {
  const sorted = [...rounds].sort((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const met = middle <= longestStall;
  const each = rounds.map((value) => value.toFixed(0)).join(' ');
  console.log(
    `  ${name}: longest commit ${middle.toFixed(0)} ms (${each}), at most ${longestStall}: ${met ? 'met' : 'MISSED'}`,
  );
  return met;
}
