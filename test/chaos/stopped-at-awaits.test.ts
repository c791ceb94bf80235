import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePrograms } from '../power-cut/programs.ts';
import { importedFrom, instrumentAwaits } from './awaits/instrument.ts';
import { isLeftOut, type LeftOut, mistaken, onLevel, onRedis } from './awaits/left-out.ts';
import { Points } from './awaits/points.ts';
import { type StoppingReport, stoppingRun } from './awaits/stopping-run.ts';
import { bullmqQueue } from './harness/chaos-queues.ts';
import { type ChaosStore, levelStore, redisStore } from './harness/chaos-stores.ts';

/** What a worker goes through on its way from the queue to the store. */
const consuming = ['src/pipeline/pipeline.js', 'src/queues/bullmq/open-bullmq-queue.js'];

let programs: string;
let instrumented: string;
let scratch: string;
const awaits = { redis: [] as readonly string[], level: [] as readonly string[] };

beforeAll(async () => {
  programs = await compilePrograms('awaits', 'chaos');
  instrumented = `${programs}-instrumented`;
  rmSync(instrumented, { recursive: true, force: true });
  cpSync(programs, instrumented, { recursive: true, verbatimSymlinks: true });
  const redis = importedFrom(instrumented, [...consuming, 'src/stores/redis/redis-store.js']);
  const level = importedFrom(instrumented, [...consuming, 'src/stores/level/level-store.js']);
  const names = instrumentAwaits(instrumented, new Set([...redis, ...level]));
  awaits.redis = [...redis].flatMap((module) => names.get(module) ?? []);
  awaits.level = [...level].flatMap((module) => names.get(module) ?? []);
  scratch = mkdtempSync(join(tmpdir(), 'macp-persist-awaits-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Scenario {
  readonly awaits: readonly string[];
  readonly leftOut: readonly LeftOut[];
  open(directory: string): Promise<ChaosStore>;
  /** Runs side by side, each with its own queue and store. */
  readonly runs: number;
  /** How many workers of each stop, and on how many shards they work. */
  readonly victims: number;
  readonly shards: number;
}

/** Stops at every await that is not left out, and returns what became of it. */
async function stopEverywhere(scenario: Scenario): Promise<readonly StoppingReport[]> {
  const { awaits, leftOut, open, runs, victims, shards } = scenario;
  expect(mistaken(leftOut, awaits)).toEqual([]);
  const points = new Points(awaits.filter((name) => !isLeftOut(name, leftOut)));
  const never = leftOut.filter(({ byChance }) => !byChance);
  const strays: string[] = [];
  const onStopped = (point: string): void => {
    if (isLeftOut(point, never)) strays.push(point);
  };
  const claims = mkdtempSync(join(scratch, 'claims-'));
  const failing = new AbortController();
  const all = Array.from({ length: runs }, async (_, index) => {
    const directory = mkdtempSync(join(scratch, 'run-'));
    await using queue = await bullmqQueue(shards);
    await using store = await open(directory);
    const story = { seed: index + 1, sessions: 200, commands: 1_200 };
    const options = { queue, store, story, programs, instrumented, directory, claims, points, victims, onStopped };
    return await stoppingRun({ ...options, signal: failing.signal });
  });
  for (const run of all) run.catch((error) => failing.abort(error));
  await Promise.allSettled(all);
  failing.signal.throwIfAborted();
  expect(strays).toEqual([]);
  return await Promise.all(all);
}

describe.concurrent('a worker that is stopped at an await past its lease, and goes on, writes nothing twice and nothing out of order', () => {
  test('on a shared Redis, where others have gone on meanwhile', async () => {
    const [report] = await stopEverywhere({
      awaits: awaits.redis,
      leftOut: onRedis,
      open: redisStore,
      runs: 1,
      victims: 20,
      shards: 40,
    });
    expect(report?.verdict.complaints.slice(0, 20)).toEqual([]);
    expect(report?.outrun).toBeGreaterThan(0);
  });

  test('on a level store, which nobody else has open', async () => {
    const reports = await stopEverywhere({
      awaits: awaits.level,
      leftOut: onLevel,
      open: async (directory) => levelStore(directory),
      runs: 6,
      victims: 1,
      shards: 8,
    });
    for (const { verdict } of reports) expect(verdict.complaints.slice(0, 20)).toEqual([]);
  });
});
