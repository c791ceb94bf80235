import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import { type Check, type Finding, ok, systemCode, warning } from './finding.ts';
import { findPlace, placesOf } from './places.ts';

const probeBytes = 4096;
const probes = 20;
/** Milliseconds after which no further probe is begun. */
const longestProbing = 2_000;
/** Milliseconds of a sync from which on a disk counts as slow. */
const slowSync = 20;
/** Milliseconds by which the times of files may differ from the clock. */
const mostDrift = 2_000;

/** What syncing small writes took, and what the file system's clock said then. */
export interface Probe {
  /** Milliseconds of each sync, ascending. */
  readonly syncs: readonly number[];
  /** Time of the file minus time of the clock, in milliseconds. */
  readonly drift: number;
}

export const syncing: Check = async ({ values, clock }) => {
  const findings: Finding[] = [];
  const seen = new Set<number>();
  for (const { path, keepsData } of placesOf(values)) {
    const found = keepsData ? await findPlace(path).catch(() => undefined) : undefined;
    if (found === undefined || !found.stats.isDirectory() || seen.has(found.stats.dev)) continue;
    seen.add(found.stats.dev);
    try {
      findings.push(...judgeProbe(found.path, await probe(found.path, clock)));
    } catch (error) {
      const change = 'see what is found of its directories and of the disk';
      findings.push(warning('sync', `nothing could be written to ${found.path} (${systemCode(error)})`, change));
    }
  }
  return findings;
};

/** Writes and syncs a small file of its own in the directory, and removes it. */
async function probe(directory: string, clock: Clock): Promise<Probe> {
  const path = join(directory, `.macp-persist-doctor-${process.pid}`);
  const file = await open(path, 'wx', 0o600);
  try {
    const syncs: number[] = [];
    const start = clock.elapsed();
    while (syncs.length < probes && clock.elapsed() - start < longestProbing) {
      await file.write(Buffer.alloc(probeBytes), 0, probeBytes, syncs.length * probeBytes);
      const before = clock.elapsed();
      await file.datasync();
      syncs.push(clock.elapsed() - before);
    }
    const { mtimeMs } = await file.stat();
    return { syncs: syncs.sort((one, other) => one - other), drift: mtimeMs - clock.now() };
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** What a probe says about the disk below `path`. */
export function judgeProbe(path: string, { syncs, drift }: Probe): readonly Finding[] {
  const median = syncs[Math.floor(syncs.length / 2)] ?? 0;
  const found = `a sync at ${path} takes ${median.toFixed(1)} ms, at most ${(syncs.at(-1) ?? 0).toFixed(1)} ms`;
  const change = 'use a faster disk, or keep other load off it: every publish and every commit waits for a sync';
  const sync = median < slowSync ? ok('sync', found) : warning('sync', found, change);
  if (Math.abs(drift) <= mostDrift) return [sync];
  const clocks = `files at ${path} get times that are ${(drift / 1000).toFixed(1)} s off this machine's clock`;
  return [sync, warning('clock', clocks, 'keep both clocks right with NTP: retention goes by them')];
}
