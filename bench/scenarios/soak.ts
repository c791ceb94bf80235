import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { anonymousMebibytes, diskMebibytes } from '../support/footprint.ts';

const program = fileURLToPath(new URL('../soak/soak-program.js', import.meta.url));
const sessions = 2_000;
const sampleInterval = 2_000;

/** Most MiB by which the last quarter of a run may lie above its second quarter, medians compared. */
const growthLimits = { memory: 32, disk: 64 };
/** Most MiB at any time: the retained and the waiting commands, their segments, the store. */
const limits = { memory: 350, disk: 384 };

interface Sample {
  readonly persisted: number;
  readonly memory: number;
  readonly disk: number;
}

interface Outcome {
  readonly persisted: number;
  readonly duplicates: number;
  readonly claimed: number;
  readonly deadLetters: number;
}

/**
 * Months in minutes: small commands through publisher, embedded queue, worker and level in one process, on sessions
 * that live and die, with a backlog limit and a retention that are reached over and over. Nothing may grow with what
 * has passed through.
 */
export async function soak(commands: number): Promise<boolean> {
  const directory = await benchDirectory('soak');
  try {
    const start = performance.now();
    const { samples, outcome } = await run(directory, commands);
    const seconds = (performance.now() - start) / 1000;
    console.log(`\n${commands} commands through ${sessions} sessions that live and die, in ${seconds.toFixed(0)} s`);
    console.log(`  ${JSON.stringify(outcome)}, ${(outcome.persisted / seconds).toFixed(0)} commands/s`);
    const flat = (['memory', 'disk'] as const).map((what) => judge(what, samples)).every(Boolean);
    return flat && outcome.deadLetters === 0 && outcome.duplicates > 0 && outcome.claimed > 0;
  } finally {
    await removeDirectory(directory);
  }
}

async function run(directory: string, commands: number): Promise<{ samples: readonly Sample[]; outcome: Outcome }> {
  const child = spawn(process.execPath, [program, directory, String(commands), String(sessions)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let latest = { persisted: 0 } as Outcome;
  createInterface({ input: child.stdout }).on('line', (line) => {
    latest = JSON.parse(line);
  });
  const samples: Sample[] = [];
  while (child.exitCode === null && child.signalCode === null) {
    await Promise.race([delay(sampleInterval), exited]);
    const [memory, disk] = await Promise.all([anonymousMebibytes(child.pid), diskMebibytes(directory)]);
    if (memory > 0) samples.push({ persisted: latest.persisted, memory, disk });
  }
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`the program ended with ${code}`);
  return { samples, outcome: latest };
}

function judge(what: 'memory' | 'disk', samples: readonly Sample[]): boolean {
  const values = samples.map((sample) => sample[what]);
  const quarter = (number: number): number =>
    median(values.slice(Math.floor((values.length * number) / 4), Math.floor((values.length * (number + 1)) / 4)));
  const quarters = [0, 1, 2, 3].map(quarter);
  const growth = quarter(3) - quarter(1);
  const most = Math.max(...values);
  const met = growth <= growthLimits[what] && most <= limits[what];
  console.log(
    `  ${what.padEnd(6)} MiB: medians of the quarters ${quarters.map((value) => value.toFixed(0)).join(', ')}; ` +
      `most ${most.toFixed(0)} (at most ${limits[what]}); growth ${growth.toFixed(1)} (at most ${growthLimits[what]}), ` +
      `slope ${slope(samples, what).toFixed(2)} a million commands: ${met ? 'met' : 'MISSED'}`,
  );
  return met;
}

/** MiB a million commands over the second half, by least squares. */
function slope(samples: readonly Sample[], what: 'memory' | 'disk'): number {
  const half = samples.slice(Math.floor(samples.length / 2));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = half.map(({ persisted }) => persisted / 1e6);
  const y = half.map((sample) => sample[what]);
  const [meanX, meanY] = [mean(x), mean(y)];
  const covariance = mean(x.map((value, index) => (value - meanX) * ((y[index] ?? 0) - meanY)));
  return covariance / mean(x.map((value) => (value - meanX) ** 2));
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
