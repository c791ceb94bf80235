import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePrograms } from '../power-cut/programs.ts';
import { countOf } from './checker/check.ts';
import { leastInFlight } from './harness/chaos.ts';
import { type ChaosStore, levelStore, redisStore } from './harness/chaos-stores.ts';
import { exclusiveDisturbances, sharedDisturbances } from './harness/disturbances.ts';
import { type Report, type RunOptions, reportText, run } from './harness/run.ts';
import type { Story } from './workload/story.ts';

/** Settings of `npm run chaos`; as they stand, a run that is short and always the same. */
const seed = Number(process.env['CHAOS_SEED'] ?? 1);
const commands = Number(process.env['CHAOS_COMMANDS'] ?? 100_000);
const away = Number(process.env['CHAOS_AWAY_SECONDS'] ?? 3) * 1_000;
const isVerbose = process.env['CHAOS_VERBOSE'] !== undefined;
const isEndless = process.env['CHAOS_ENDLESS'] !== undefined;
const sessions = 1_000;

let programs: string;
let scratch: string;

beforeAll(async () => {
  programs = await compilePrograms('programs', 'chaos');
  scratch = mkdtempSync(join(tmpdir(), 'macp-persist-chaos-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Scenario = Pick<RunOptions, 'disturbances' | 'characters' | 'workers'>;

const repeats = { manner: 'repeats', transactional: false } as const;
const claims = { manner: 'claims', transactional: false } as const;

const shared: Scenario = {
  disturbances: sharedDisturbances,
  characters: [repeats, { ...repeats, transactional: true }, claims, { ...claims, transactional: true }],
  workers: 3,
};

/** Only the worker itself could tell a publisher where sessions stand: none claims. */
const exclusive: Scenario = {
  disturbances: exclusiveDisturbances,
  characters: [repeats, { ...repeats, transactional: true }, repeats, repeats],
  workers: 3,
};

function progressOf(name: string): (text: string) => void {
  const start = performance.now();
  return (text) => {
    if (isVerbose) process.stdout.write(`${name} ${((performance.now() - start) / 1000).toFixed(1)} s: ${text}\n`);
  };
}

async function chaos(
  name: string,
  scenario: Scenario,
  open: (directory: string) => Promise<ChaosStore>,
): Promise<void> {
  const directory = join(scratch, name);
  mkdirSync(directory);
  await using store = await open(directory);
  const story: Story = { seed, sessions, commands: Math.ceil(commands / sessions) };
  const onProgress = progressOf(name);
  const report = await run({
    ...scenario,
    story,
    store,
    burst: 3_000,
    isEndless,
    away,
    programs,
    directory,
    onProgress,
  });
  const wrongs = (['lost', 'doubled', 'reordered', 'foreign'] as const).map((wrong) => [
    wrong,
    countOf(report.verdict, wrong),
  ]);
  const wrong = `${wrongs.map(([what, count]) => `${what} ${count}`).join(', ')}; complaints ${report.verdict.complaints.length}`;
  process.stdout.write(`${reportText(`chaos, ${store.name}, seed ${seed}`, report, wrong)}\n`);
  expectProof(report, story);
}

function expectProof({ verdict, counts, rebalances }: Report, story: Story): void {
  expect(verdict.complaints.slice(0, 20)).toEqual([]);
  expect(verdict.commands).toBe(story.sessions * story.commands);
  expect(Math.min(...counts.inFlight)).toBeGreaterThanOrEqual(leastInFlight);
  const { workers, brokers, publishers } = counts.kills;
  const { redelivered, hangs } = counts;
  const happened = { workers, brokers, publishers, hangs, rebalances, redelivered, sentAgain: verdict.repeated };
  for (const [what, count] of Object.entries(happened)) expect(count, what).toBeGreaterThan(0);
}

describe('in chaos nothing is lost, doubled or reordered', () => {
  test('by three workers on a shared Redis', () => chaos('redis', shared, redisStore));

  test('by a worker with a level store, and two that stand by', () =>
    chaos('level', exclusive, async (directory) => levelStore(directory)));
});
