import { join } from 'node:path';
import type { Consumed, ConsumeRequest } from '../kafka/consume-program.ts';
import { type BareOptions, bareBatches, bareOptions, benchDirectory, removeDirectory } from '../support/bare.ts';
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
import { keyedEntries, sessionIds } from '../support/entries.ts';
import { restoreWithStreams } from '../support/kafka-streams.ts';
import { fillTopic } from '../support/kafka-topic.ts';
import { fillQueue, openQueue } from '../support/pipeline.ts';
import { runMeasured } from '../support/programs.ts';
import { replayed } from '../support/replayed.ts';
import { startKafka } from '../support/services.ts';

const sessions = 5_000;
const topic = 'history';
const limitMebibytes = 350;

const fromTopic = 'Kafka -> replay -> level store';
const fromQueue = 'embedded queue -> replay -> level store';
const nothing = 'kafkajs eachBatch, nothing done';
const streams = 'Kafka Streams restores, nothing synced';
/** As many threads as Kafka Streams gains from on two cores. */
const streamsThreads = 2;

/**
 * A level store built anew, every commit synced and checkpointed: from a topic of 8 partitions, beside what kafkajs
 * delivers when nothing is done with it, bare synced batches of the same entries, with the broker up, and Kafka Streams,
 * which restores the topic into its RocksDB; from the embedded queue, beside the bare batches.
 */
export async function rebuildStores(commands: number, rounds: number): Promise<boolean> {
  const embedded = await rebuildFromQueue(commands, rounds);
  return (await rebuildFromTopic(commands, rounds)) && embedded;
}

async function rebuildFromTopic(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('replay');
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
        if (how === 'replay') peaks.push(mebibytes);
        return result.commands / result.seconds;
      },
    });
    // Whoever comes first would else be measured with a broker that has never fetched, and writes out what was published.
    await contestant(nothing, 'nothing').rate();
    const result = await alternate(rounds, [
      contestant(fromTopic, 'replay'),
      contestant(nothing, 'nothing'),
      ...Object.entries(bareOptions).map(([name, options]) => contestant(name, 'bare store', options)),
      {
        name: streams,
        async rate() {
          const restored = await restoreWithStreams(address, topic, store, streamsThreads);
          await removeDirectory(store);
          return restored.commands / restored.seconds;
        },
      },
    ]);
    tellRates(`Rebuilding ${commands} commands of ${sessions} sessions from Kafka`, 'entries', result);
    return tell(result, Math.max(...peaks));
  } finally {
    await removeDirectory(directory);
  }
}

function tell(result: ContestResult, peak: number): boolean {
  const rates = ratesOf(result, fromTopic);
  const bare = bareRates(result);
  const slower = ratesOf(result, nothing).map((rate, round) => Math.min(rate, bare[round] ?? Number.NaN));
  const isFast = tellRatio('to the slower of kafkajs and the bare store', ratios(rates, slower), 0.8);
  tellRatio('to Kafka Streams', ratios(rates, ratesOf(result, streams)));
  const isSmall = peak <= limitMebibytes;
  console.log(
    `  anonymous memory ${peak.toFixed(0)} MiB at most, asked for at most ${limitMebibytes}: ${isSmall ? 'met' : 'MISSED'}`,
  );
  return isFast && isSmall;
}

async function rebuildFromQueue(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('replay');
  try {
    const queue = join(directory, 'queue');
    const store = join(directory, 'store');
    await using filled = await openQueue(queue);
    await fillQueue(filled, sessions, commands);
    await filled.close();
    const bare = (name: string, options: BareOptions): MeasuredContestant => ({
      name,
      async rate() {
        const start = performance.now();
        const written = await bareBatches(store, options, keyedEntries(sessionIds(sessions), commands), 512);
        const seconds = (performance.now() - start) / 1000;
        await removeDirectory(store);
        return written / seconds;
      },
    });
    const ours: MeasuredContestant = {
      name: fromQueue,
      async rate() {
        const { commands: built, seconds } = await replayed(`embedded:${queue}`, store);
        await removeDirectory(store);
        return built / seconds;
      },
    };
    const rivals = Object.entries(bareOptions).map(([name, options]) => bare(name, options));
    const result = await alternate(rounds, [ours, ...rivals]);
    tellRates(`Rebuilding ${commands} commands of ${sessions} sessions from the embedded queue`, 'entries', result);
    return tellRatio('to the bare store', ratios(ratesOf(result, fromQueue), bareRates(result)), 0.8);
  } finally {
    await removeDirectory(directory);
  }
}

/** Of every round the better one of the bare loops. */
function bareRates(result: ContestResult): readonly number[] {
  return best(Object.keys(bareOptions).map((name) => ratesOf(result, name)));
}
