import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePrograms } from '../power-cut/programs.ts';
import { leastInFlight } from './harness/chaos.ts';
import { bullmqQueue, type ChaosQueue, kafkaQueue } from './harness/chaos-queues.ts';
import { type ChaosStore, levelStore, redisStore } from './harness/chaos-stores.ts';
import { exclusiveDisturbances, sharedDisturbances } from './harness/disturbances.ts';
import { type Report, reportText } from './harness/report.ts';
import { type RunOptions, run } from './harness/run.ts';
import type { Story } from './workload/story.ts';

/** `npm run chaos` sets these; as they stand, everything happens once, and always the same. */
const firstSeed = Number(process.env['CHAOS_SEED'] ?? 1);
const commands = Number(process.env['CHAOS_COMMANDS'] ?? 100_000);
const away = Number(process.env['CHAOS_AWAY'] ?? 3) * 1_000;
const minutes = Number(process.env['CHAOS_MINUTES'] ?? 0);
const isEndless = process.env['CHAOS_MINUTES'] !== undefined;
const sessions = 1_000;

let programs: string;
let scratch: string;

beforeAll(async () => {
  programs = await compilePrograms('programs', 'chaos');
  scratch = mkdtempSync(join(tmpdir(), 'macp-persist-chaos-'));
});
afterAll(async () => {
  // Those that have run out of time still tell why, and end what they have started.
  await Promise.allSettled(runs);
  rmSync(scratch, { recursive: true, force: true });
});

const runs: Promise<void>[] = [];

interface Scenario extends Pick<RunOptions, 'disturbances' | 'characters' | 'workers'> {
  /** Whether every worker does its share once nothing is disturbed any more. */
  readonly sharesEvenly: boolean;
  /**
   * Whether what a killed publisher had sent is certain to be carried out, and so comes twice when it is sent again. Redis
   * gives up a transaction whose client has gone before it was read whole.
   */
  readonly carriesOutWhatWasSent: boolean;
  openQueue(): Promise<ChaosQueue>;
  open(directory: string): Promise<ChaosStore>;
}

const repeats = { manner: 'repeats', fences: false } as const;
const claims = { manner: 'claims', fences: false } as const;

const shared: Scenario = {
  openQueue: kafkaQueue,
  open: redisStore,
  sharesEvenly: true,
  carriesOutWhatWasSent: true,
  disturbances: sharedDisturbances,
  characters: [repeats, { ...repeats, fences: true }, claims, { ...claims, fences: true }],
  workers: 3,
};

/** Nobody can be shut out of BullMQ by its successor: whoever claims learns of it from the store. */
const sharedBullmq: Scenario = {
  ...shared,
  openQueue: bullmqQueue,
  carriesOutWhatWasSent: false,
  characters: [repeats, repeats, claims, claims],
};

/** Only the worker itself could tell a publisher where sessions stand: none claims. */
const exclusive: Scenario = {
  openQueue: kafkaQueue,
  open: async (directory) => levelStore(directory),
  sharesEvenly: false,
  carriesOutWhatWasSent: true,
  disturbances: exclusiveDisturbances,
  characters: [repeats, { ...repeats, fences: true }, repeats, repeats],
  workers: 3,
};

function chaos(scenario: Scenario, signal: AbortSignal): Promise<void> {
  const all = runAll(scenario, signal);
  runs.push(all);
  return all;
}

/** One run after another, each with the next seed, until the minutes are over. */
async function runAll(scenario: Scenario, signal: AbortSignal): Promise<void> {
  const end = performance.now() + minutes * 60_000;
  let seed = firstSeed;
  do {
    const directory = mkdtempSync(join(scratch, 'run-'));
    await using queue = await scenario.openQueue();
    await using store = await scenario.open(directory);
    const story: Story = { seed, sessions, commands: Math.ceil(commands / sessions) };
    const title = `chaos on ${queue.name} and ${store.name}, seed ${seed}`;
    const onProgress = (text: string): void => {
      if (isEndless) process.stdout.write(`${title}: ${text}\n`);
    };
    const options: RunOptions = {
      ...scenario,
      story,
      queue,
      store,
      burst: 3_000,
      isEndless,
      away,
      programs,
      directory,
      onProgress,
      signal,
    };
    const report = await run(options).catch((error: unknown) => {
      // Of a test that has run out of time nobody would see the reason.
      if (signal.aborted) process.stdout.write(`${title}: ${inspect(error)}\n`);
      throw error;
    });
    process.stdout.write(`${reportText(title, report)}\n`);
    expectProof(report, story);
    if (scenario.carriesOutWhatWasSent) expect(report.verdict.repeated, 'sent again').toBeGreaterThan(0);
    if (scenario.sharesEvenly) expectShares(report);
    rmSync(directory, { recursive: true });
    seed += 1;
  } while (performance.now() < end);
}

function expectProof({ verdict, counts, rebalances }: Report, story: Story): void {
  expect(verdict.complaints.slice(0, 20)).toEqual([]);
  expect(verdict.commands).toBe(story.sessions * story.commands);
  expect(Math.min(...counts.inFlight)).toBeGreaterThanOrEqual(leastInFlight);
  const { workers, brokers, publishers } = counts.kills;
  const { redelivered, hangs } = counts;
  const happened = { workers, brokers, publishers, hangs, rebalances, redelivered };
  for (const [what, count] of Object.entries(happened)) expect(count, what).toBeGreaterThan(0);
}

/** Each of the workers commits a fifth of the batches at least. */
function expectShares({ batches }: Report): void {
  const all = batches.reduce((sum, one) => sum + one, 0);
  expect(batches.length).toBe(3);
  expect(Math.min(...batches) / all, `of ${batches.join(', ')} batches`).toBeGreaterThanOrEqual(0.2);
}

describe.concurrent('in chaos nothing is lost, doubled or reordered', isEndless ? { timeout: 0 } : {}, () => {
  test('by three workers on a shared Redis', ({ signal }) => chaos(shared, signal));

  test('by three workers on BullMQ and a shared Redis', ({ signal }) => chaos(sharedBullmq, signal));

  test('by a worker with a level store, and two that stand by', ({ signal }) => chaos(exclusive, signal));
});
