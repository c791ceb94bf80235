import { join } from 'node:path';
import type { ConsumeRequest } from '../kafka/consume-program.ts';
import { type BareOptions, bareOptions, benchDirectory, removeDirectory } from './bare.ts';
import type { Consumed } from './consumed.ts';
import { alternate, type ContestResult, type MeasuredContestant } from './contest.ts';
import { fillTopic } from './kafka-topic.ts';
import { runMeasured } from './programs.ts';
import { startKafka } from './services.ts';

export const nothingDone = 'kafkajs eachBatch, nothing done';

/** Who takes part beside kafkajs that does nothing, and the bare loops. */
export interface TopicContest {
  readonly topic: string;
  readonly commands: number;
  readonly sessions: number;
  readonly rounds: number;
  readonly ours: { readonly name: string; readonly how: ConsumeRequest['how'] };
  /** Further rivals; `store`: where one may be made, which is empty again afterwards. */
  readonly others: (place: TopicPlace) => readonly MeasuredContestant[];
}

export interface TopicPlace {
  readonly address: string;
  readonly store: string;
  readonly contestant: (name: string, how: ConsumeRequest['how']) => MeasuredContestant;
}

/** The rates, and the most anonymous memory of ours in any round, in MiB. */
export interface TopicResult {
  readonly result: ContestResult;
  readonly peak: number;
}

/** Fills a topic of 8 partitions, and lets all consume it in turns, each in a process of its own, with the broker up. */
export async function contestOverTopic(contest: TopicContest): Promise<TopicResult> {
  const { topic, commands, sessions, rounds, ours, others } = contest;
  const directory = await benchDirectory(topic);
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
        if (how === ours.how) peaks.push(mebibytes);
        return result.commands / result.seconds;
      },
    });
    // Whoever comes first would else be measured with a broker that has never fetched, and writes out what was published.
    await contestant(nothingDone, 'nothing').rate();
    const result = await alternate(rounds, [
      contestant(ours.name, ours.how),
      contestant(nothingDone, 'nothing'),
      ...Object.entries(bareOptions).map(([name, options]) => contestant(name, 'bare store', options)),
      ...others({ address, store, contestant }),
    ]);
    return { result, peak: Math.max(...peaks) };
  } finally {
    await removeDirectory(directory);
  }
}
