/** One way to do the work: returns how many units it did; the time it takes is measured. */
export interface Contestant {
  readonly name: string;
  /** Untimed, before every round. */
  prepare?(): Promise<void>;
  run(): Promise<number>;
  /** Untimed, after every round. */
  clear?(): Promise<void>;
}

export interface ContestResult {
  readonly unitsPerSecond: readonly {
    readonly name: string;
    readonly median: number;
    readonly all: readonly number[];
  }[];
}

/** One way to do the work, which measures itself: returns units per second. */
export interface MeasuredContestant {
  readonly name: string;
  rate(): Promise<number>;
}

/** Lets the contestants take turns, `rounds` times, in one process, and takes medians: machines are noisy. */
export function contest(rounds: number, contestants: readonly Contestant[]): Promise<ContestResult> {
  return alternate(
    rounds,
    contestants.map((contestant) => ({ name: contestant.name, rate: () => rate(contestant) })),
  );
}

/** The same for contestants that measure themselves, in processes of their own for instance. */
export async function alternate(rounds: number, contestants: readonly MeasuredContestant[]): Promise<ContestResult> {
  const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order alternates as well, so that nobody always runs on the other's warm disk.
    const order = round % 2 === 0 ? contestants : [...contestants].reverse();
    for (const contestant of order) rates.get(contestant.name)?.push(await contestant.rate());
  }
  return {
    unitsPerSecond: [...rates].map(([name, all]) => ({ name, median: median(all), all })),
  };
}

async function rate(contestant: Contestant): Promise<number> {
  await contestant.prepare?.();
  (globalThis as { gc?: () => void }).gc?.();
  const start = performance.now();
  const units = await contestant.run();
  const seconds = (performance.now() - start) / 1000;
  await contestant.clear?.();
  return units / seconds;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * Prints the rates, and the ratio of the first contestant to the others beside what is asked for. The ratio is the
 * median over the rounds of ours to the best of the others in the same round, so that a slow minute hits both.
 * Without `atLeast` it is only told.
 */
export function report(title: string, unit: string, result: ContestResult, atLeast?: number): boolean {
  const [ours, ...others] = result.unitsPerSecond;
  tellRates(title, unit, result);
  return tellRatio('ratio', ratios(ours?.all ?? [], best(others.map(({ all }) => all))), atLeast);
}

/** Prints the rates of every contestant. */
export function tellRates(title: string, unit: string, result: ContestResult): void {
  console.log(`\n${title}`);
  for (const { name, median: value, all } of result.unitsPerSecond) {
    const rounds = all.map((rate) => format(rate)).join(' ');
    console.log(`  ${name.padEnd(44)} ${format(value).padStart(9)} ${unit}/s   (${rounds})`);
  }
}

/** Prints the median of the rounds' ratios beside what is asked for. Without `atLeast` it is only told. */
export function tellRatio(what: string, rounds: readonly number[], atLeast?: number): boolean {
  const ratio = median(rounds);
  const met = atLeast === undefined || ratio >= atLeast;
  const each = rounds.map((value) => value.toFixed(2)).join(' ');
  const asked =
    atLeast === undefined ? 'nothing asked for' : `asked for at least ${atLeast}: ${met ? 'met' : 'MISSED'}`;
  console.log(`  ${what} ${ratio.toFixed(2)} (${each}), ${asked}`);
  return met;
}

/** The rates of one contestant, a round each. */
export function ratesOf(result: ContestResult, name: string): readonly number[] {
  return result.unitsPerSecond.find((contestant) => contestant.name === name)?.all ?? [];
}

/** Of every round the best rate of several contestants. */
export function best(contestants: readonly (readonly number[])[]): readonly number[] {
  return (contestants[0] ?? []).map((_, round) => Math.max(...contestants.map((all) => all[round] ?? 0)));
}

/** Of every round the lower one of two rates. */
export function slower(ones: readonly number[], others: readonly number[]): readonly number[] {
  return ones.map((rate, round) => Math.min(rate, others[round] ?? Number.NaN));
}

/** Of every round how many times as much as the others. */
export function ratios(ours: readonly number[], others: readonly number[]): readonly number[] {
  return ours.map((rate, round) => rate / (others[round] ?? Number.NaN));
}

function format(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)}k` : value.toFixed(0);
}
