import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { observe } from '../power-cut/examine.ts';
import { compilePrograms } from '../power-cut/programs.ts';
import { Random } from '../power-cut/random.ts';
import { type Outcome, runProgram } from '../power-cut/run.ts';
import { compileShim } from '../power-cut/shim.ts';
import { openSmallStore, type SmallStoreKind, smallStorePlace } from '../power-cut/small-stores.ts';
import { scratchFolder } from '../power-cut/workshop.ts';
import { type Histories, type Observation, prefixComplaints, readHistories, readLines } from './history.ts';

/** A hundred kills of each large stream, more with CRASH_FACTOR, others with CRASH_SEED. */
const factor = Number(process.env['CRASH_FACTOR'] ?? 1);
const seed = Number(process.env['CRASH_SEED'] ?? 1);

/** Where a life of the process ends: at a numbered effect on the disk, in the middle of a write, or at any moment. */
type Death = { readonly killAt: number; readonly tear: number } | { readonly killAfter: number };

function someDeath(random: Random, effects: number): Death {
  if (random.below(3) === 0) return { killAfter: 200 + random.below(500) };
  return { killAt: 1 + random.below(effects), tear: random.below(4000) };
}

function golden(folder: string, file: string): string {
  return fileURLToPath(new URL(`../fixtures/golden/${folder}/${file}`, import.meta.url));
}

/** A recorded stream, the dump that it ends in, and how often a process is killed on the way there at the least. */
export interface KilledStream {
  readonly folder: string;
  readonly expected: string;
  readonly kills: number;
}

/** The tests of processes that are killed while they work on a store of this kind, at one of that many `effects` of a life. */
export function testKills(kind: SmallStoreKind, effects: number, streams: readonly KilledStream[]): void {
  let library: string;
  let main: string;
  let scratch: string;

  beforeAll(async () => {
    library = await compileShim();
    main = join(await compilePrograms(`crash-${kind}`), 'src/cli/main.js');
    scratch = scratchFolder(`crash-${kind}`);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  function command(words: readonly string[], data: string, death?: Death): Promise<Outcome> {
    const store = `${kind}:${smallStorePlace(data, kind)}`;
    const program = [main, ...words, '--data-dir', data, '--store', store, '--log-level', 'error'];
    if (death === undefined || 'killAfter' in death) return runProgram(program, undefined, death?.killAfter);
    return runProgram(program, { library, options: { directory: data, ...death } });
  }

  /** What the store shows to whoever opens it after the kill, looked at in a copy so that the worker finds it untouched. */
  async function observed(data: string): Promise<readonly Observation[]> {
    const copy = `${data}.copy`;
    rmSync(copy, { recursive: true, force: true });
    if (!existsSync(smallStorePlace(data, kind))) return [];
    cpSync(smallStorePlace(data, kind), copy, { recursive: true });
    await using store = await openSmallStore(copy, kind);
    return await observe(store);
  }

  /** Publishes the stream and is killed at it a few times; what it had sent before, it then sends again. */
  async function publishThroughKills(stream: string, data: string, random: Random): Promise<number> {
    let kills = 0;
    for (let life = 0; life < 3; life += 1) {
      const outcome = await command(['publish', stream], data, someDeath(random, 60));
      if (outcome.signal === 'SIGKILL') kills += 1;
      else expect(outcome).toMatchObject({ code: 0, errors: '' });
    }
    expect(await command(['publish', stream], data)).toMatchObject({ code: 0 });
    return kills;
  }

  /** Persists what is published, killed again and again, until a life ends by itself. */
  async function persistThroughKills(histories: Histories, data: string, random: Random): Promise<number> {
    let before: ReadonlyMap<string, number> = new Map();
    for (let kills = 0; ; kills += 1) {
      const words = [
        'worker',
        '--exit-when-caught-up',
        '--worker-batch-commands',
        '8',
        '--worker-cached-sessions',
        '8',
      ];
      const outcome = await command(words, data, someDeath(random, effects));
      if (outcome.signal !== 'SIGKILL') {
        expect(outcome).toMatchObject({ code: 0, errors: '' });
        return kills;
      }
      const seen = await observed(data);
      expect(prefixComplaints(histories, seen)).toEqual([]);
      const now = new Map(seen.map(({ session, last }) => [session, last]));
      expect([...before].filter(([session, last]) => (now.get(session) ?? 0) < last)).toEqual([]);
      before = now;
    }
  }

  describe.concurrent(`processes that are killed while they publish and persist recorded sessions into a ${kind} store`, () => {
    test.each(streams.map(({ folder, expected, kills }) => [folder, expected, kills] as const))(
      '%s: a prefix of every session after each kill, and the expected dump at the end',
      async (folder, expected, atLeast) => {
        const stream = golden(folder, 'commands.ndjson');
        const histories = readHistories(readLines(stream));
        let kills = 0;
        for (let round = 0; kills < atLeast * factor; round += 1) {
          const random = new Random(seed * 1009 + round);
          const data = join(scratch, `${folder}-${round}`);
          kills += await publishThroughKills(stream, data, random);
          kills += await persistThroughKills(histories, data, random);
          const dump = await command(['sessions', 'dump'], data);
          expect(dump).toMatchObject({ code: 0, errors: '' });
          expect(dump.output === readFileSync(golden(folder, expected), 'utf8')).toBe(true);
          rmSync(data, { recursive: true });
        }
      },
    );
  });
}
