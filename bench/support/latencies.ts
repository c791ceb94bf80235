import type { Latencies } from '../http/publish-read-program.ts';
import { median } from './contest.ts';

/** Prints the latencies of all rounds, in milliseconds; returns the medians over the rounds. */
export function tellLatencies(name: string, rounds: readonly Latencies[]): Latencies {
  const over = (what: keyof Latencies): number => median(rounds.map((each) => each[what]));
  const all = rounds.map((round) => `${round.median.toFixed(2)}/${round.p99.toFixed(1)}`).join(' ');
  const told = { median: over('median'), p99: over('p99'), most: over('most') };
  const figures = `median ${told.median.toFixed(2)}, p99 ${told.p99.toFixed(1)}, most ${told.most.toFixed(1)}`;
  console.log(`  ${name.padEnd(44)} ${figures}   (${all})`);
  return told;
}
