import { expect } from 'vitest';
import { Random } from '../power-cut/random.ts';
import { disturbed } from './disturbed.ts';
import { runProgram } from './program.ts';

/** Small commits, so that there are many to be killed between. */
const smallCommits = ['--worker-batch-commands', '16'];

export interface KilledReplays {
  readonly directory: string;
  readonly seed: number;
  /** How many processes are killed at the least. */
  readonly kills: number;
  /** What is replayed, and the settings for it: flags. */
  readonly source: readonly string[];
  /** The URL of the store number `index`. */
  readonly target: (index: number) => string;
}

/** What a replay tells in the end. */
export interface ReplayDocument {
  readonly commands: number;
  readonly sessions: number;
  readonly sha256: string;
}

/** Replays into store after store, each replay killed at random instants until one comes to its end; what that says is `expected`. */
export async function killReplays(replays: KilledReplays, expected: ReplayDocument): Promise<void> {
  const { directory, seed, kills, source, target } = replays;
  const random = new Random(seed);
  const words = (index: number) => ['replay', '--to', target(index), ...source, ...smallCommits, '--json'];
  const { used: idle } = await disturbed(['--version'], { directory }, 'SIGKILL', Number.POSITIVE_INFINITY);
  const { used: whole } = await disturbed(words(0), { directory }, 'SIGKILL', Number.POSITIVE_INFINITY);
  let killed = 0;
  let resumed = 0;
  for (let index = 1; killed < kills; index += 1) {
    for (let isKilled = true; isKilled; ) {
      const instant = idle + ((whole - idle) * random.below(1_000)) / 1_000;
      isKilled = (await disturbed(words(index), { directory }, 'SIGKILL', instant)).code === null;
      if (isKilled) killed += 1;
      if (random.below(3) === 0) break;
    }
    const ending = await runProgram(words(index), { directory });
    expect(ending.code, ending.stderr).toBe(0);
    const { commands, sessions, sha256 }: ReplayDocument = JSON.parse(ending.stdout);
    expect({ sessions, sha256 }).toEqual({ sessions: expected.sessions, sha256: expected.sha256 });
    if (commands < expected.commands) resumed += 1;
  }
  // Most are killed somewhere on the way, and none begins from the start again then.
  expect(resumed).toBeGreaterThan(0);
}
