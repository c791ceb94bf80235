import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { openFileStore } from '../../src/stores/file/file-store.ts';
import { appendPlans } from '../store/commit-plans.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { alternate, ratesOf, ratios, tellRates, tellRatio } from '../support/contest.ts';
import { sessionIds } from '../support/entries.ts';
import { UpstreamProgram } from '../support/upstream-program.ts';

/** Most bytes that a commit of a worker takes by default, in entries of this bench; and a small one. */
const commitSizes = [9_900, 512] as const;
/** One sync an entry needs no more to be measured. */
const oneByOne = 3_000;
/** Milliseconds that no commit may take, checkpoints beside it or not. */
const longestStall = 250;

const upstream = 'macp-storage 0.13.0, one synced append an entry';

/**
 * Commits into macp-runtime's directory layout, over 50 and over 500 sessions, beside macp-storage's own file backend,
 * which does the same appends one by one: opening the log, writing the entry, one fdatasync, without cursors, positions,
 * checks and totals. Sessions are made before, on both sides. Only writing is timed; enough is written for several
 * checkpoints.
 */
export async function commitToFiles(commands: number, rounds: number): Promise<boolean> {
  if (!UpstreamProgram.isThere) {
    console.log('\nCommits into files: left out, as there is no cargo to build the Rust program with');
    return true;
  }
  let allMet = true;
  for (const sessions of [50, 500]) allMet = (await contestOver(sessions, commands, rounds)) && allMet;
  return allMet;
}

async function contestOver(sessions: number, commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('file');
  await using program = await UpstreamProgram.provide(sessions);
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
    const theirs = { name: upstream, rate: cleared(() => program.rate('file', directory, oneByOne)) };
    const result = await alternate(rounds, [...ours, theirs]);
    tellRates(`Committing ${commands} appends of ${sessions} interleaved sessions, durable`, 'entries', result);
    let allMet = true;
    for (const [index, { name }] of ours.entries()) {
      const besideUpstream = ratios(ratesOf(result, name), ratesOf(result, upstream));
      // What a worker with a backlog commits is asked for.
      allMet = tellRatio(`${name}, beside ${upstream}`, besideUpstream, index === 0 ? 30 : undefined) && allMet;
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
  await store.idle();
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
