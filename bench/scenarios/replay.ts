import { join } from 'node:path';
import { type BareOptions, bareOptions, bareRates, benchDirectory, removeDirectory } from '../support/bare.ts';
import { written } from '../support/consumed.ts';
import {
  alternate,
  type MeasuredContestant,
  ratesOf,
  ratios,
  slower,
  tellRates,
  tellRatio,
} from '../support/contest.ts';
import { tellPeak } from '../support/footprint.ts';
import { restoreWithStreams } from '../support/kafka-streams.ts';
import { fillQueue, openQueue } from '../support/pipeline.ts';
import { replayed } from '../support/replayed.ts';
import { contestOverTopic, nothingDone } from '../support/topic-contest.ts';

const sessions = 5_000;
const topic = 'history';
const limitMebibytes = 350;

const fromTopic = 'Kafka -> replay -> level store';
const fromQueue = 'embedded queue -> replay -> level store';
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
  const { result, peak } = await contestOverTopic({
    topic,
    commands,
    sessions,
    rounds,
    ours: { name: fromTopic, how: 'replay' },
    others: ({ address, store }) => [
      {
        name: streams,
        async rate() {
          const restored = await restoreWithStreams(address, topic, store, streamsThreads);
          await removeDirectory(store);
          return restored.commands / restored.seconds;
        },
      },
    ],
  });
  tellRates(`Rebuilding ${commands} commands of ${sessions} sessions from Kafka`, 'entries', result);
  const rates = ratesOf(result, fromTopic);
  const rival = slower(ratesOf(result, nothingDone), bareRates(result));
  const isFast = tellRatio('to the slower of kafkajs and the bare store', ratios(rates, rival), 0.8);
  tellRatio('to Kafka Streams', ratios(rates, ratesOf(result, streams)));
  const isSmall = tellPeak(peak, limitMebibytes);
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
        const { commands: count, seconds } = await written({ directory: store, options, sessions, commands });
        await removeDirectory(store);
        return count / seconds;
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
