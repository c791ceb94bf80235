import { join } from 'node:path';
import type { Consumed, ConsumeRequest } from '../kafka/consume-program.ts';
import { type BareOptions, bareOptions, benchDirectory, removeDirectory } from '../support/bare.ts';
import {
  alternate,
  best,
  type ContestResult,
  type MeasuredContestant,
  ratesOf,
  ratios,
  tellRates,
  tellRatio,
} from '../support/contest.ts';
import { fillTopic } from '../support/kafka-topic.ts';
import { runMeasured } from '../support/programs.ts';
import { startKafka } from '../support/services.ts';

const sessions = 5_000;
const topic = 'backlog';
const limitMebibytes = 350;

const ours = 'Kafka -> pipeline -> level store';
const nothing = 'kafkajs eachBatch, nothing done';
const ordinary = 'kafkajs eachMessage, parse, synced put';

/**
 * A backlog in a topic of 8 partitions, persisted into the level store, every commit synced; beside what kafkajs
 * delivers when nothing is done with it, the bare synced batches of the same entries into classic-level, with the broker
 * up, and the loop that one would write first. Each in a process of its own.
 */
export async function persistFromKafka(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('kafka-persist');
  try {
    await using kafka = await startKafka(directory);
    const address = kafka.addresses();
    await fillTopic(address, topic, sessions, commands);
    const store = join(directory, 'store');
    const request = { address, topic, sessions, commands, directory: store };
    const peaks: number[] = [];
    const contestant = (name: string, how: ConsumeRequest['how'], options?: BareOptions): MeasuredContestant => ({
      name,
      async rate() {
        const { result, mebibytes } = await runMeasured<Consumed>('kafka/consume', { ...request, how, options });
        await removeDirectory(store);
        if (how === 'worker') peaks.push(mebibytes);
        return result.commands / result.seconds;
      },
    });
    // Whoever comes first would else be measured with a broker that has never fetched, and writes out what was published.
    await contestant(nothing, 'nothing').rate();
    const result = await alternate(rounds, [
      contestant(ours, 'worker'),
      contestant(nothing, 'nothing'),
      ...Object.entries(bareOptions).map(([name, options]) => contestant(name, 'bare store', options)),
      contestant(ordinary, 'ordinary'),
    ]);
    tellRates(`Persisting ${commands} commands of ${sessions} sessions from Kafka`, 'entries', result);
    return tell(result, Math.max(...peaks));
  } finally {
    await removeDirectory(directory);
  }
}

function tell(result: ContestResult, peak: number): boolean {
  const rates = ratesOf(result, ours);
  const bare = best(Object.keys(bareOptions).map((name) => ratesOf(result, name)));
  const slower = ratesOf(result, nothing).map((rate, round) => Math.min(rate, bare[round] ?? Number.NaN));
  const isSmall = peak <= limitMebibytes;
  const told = [
    tellRatio('to the slower of kafkajs and the bare store', ratios(rates, slower), 0.8),
    tellRatio('to the ordinary loop', ratios(rates, ratesOf(result, ordinary)), 50),
    isSmall,
  ];
  tellRatio('to kafkajs alone', ratios(rates, ratesOf(result, nothing)));
  tellRatio('to the bare store alone', ratios(rates, bare));
  console.log(
    `  anonymous memory ${peak.toFixed(0)} MiB at most, asked for at most ${limitMebibytes}: ${isSmall ? 'met' : 'MISSED'}`,
  );
  return told.every((met) => met);
}
