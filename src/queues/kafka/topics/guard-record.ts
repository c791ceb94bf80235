import type { Clock } from '../../../ports/clock.ts';
import { tryWithin } from '../../patience.ts';
import { readBounds } from '../consumer/read-bounds.ts';
import type { TopicBrokers } from '../consumer/topic-brokers.ts';
import { encodeRecordBody } from '../publishing/record-body.ts';
import { RecordWriter } from '../publishing/record-writer.ts';
import { decodeGuard, encodeGuard, type Guard, guardKey, guardTopicOf } from './guard.ts';
import { readPartition } from './read-partition.ts';
import type { TopicAdministration, TopicFacts } from './topic-administration.ts';

/** The topic that holds a guard, and the guard where it was written. */
export interface GuardTopic {
  readonly facts: TopicFacts;
  readonly guard: Guard | undefined;
}

const patience = 30_000;
const batchBytes = 1024 * 1024;

/** The guard of `topic`, or undefined when there is not even a topic for it. */
export async function readGuard(
  administration: TopicAdministration,
  clock: Clock,
  topic: string,
): Promise<GuardTopic | undefined> {
  const facts = await administration.describe(guardTopicOf(topic));
  if (facts === undefined) return undefined;
  const brokers = administration.brokersOf(facts);
  try {
    return { facts, guard: await guardIn(brokers, clock, topic) };
  } finally {
    await brokers.close();
  }
}

/** The guard of `topic` as it stands in its topic, whose brokers these are; undefined where it was not written. */
export async function guardIn(
  brokers: TopicBrokers,
  clock: Clock,
  topic: string,
  signal?: AbortSignal,
): Promise<Guard | undefined> {
  const bounds = await tryWithin(clock, patience, () => readBounds(brokers, [0], signal), signal);
  const { start, end } = bounds.get(0) ?? { start: 0, end: 0 };
  let guard: Guard | undefined;
  for await (const records of readPartition(brokers, clock, { partition: 0, from: start, to: end }, signal)) {
    for (const read of records) {
      if (read.kind !== 'record' || Buffer.from(read.key ?? []).toString('utf8') !== guardKey) continue;
      guard = read.value.length === 0 ? undefined : decodeGuard(topic, read.value);
    }
  }
  return guard;
}

/** Writes the guard into its topic, in place of what it held. */
export async function writeGuard(
  administration: TopicAdministration,
  clock: Clock,
  facts: TopicFacts,
  guard: Guard,
): Promise<void> {
  const brokers = administration.brokersOf(facts);
  try {
    const closing = new AbortController().signal;
    const writer = new RecordWriter({ brokers, clock, closing, batchBytes, codec: undefined });
    const body = encodeRecordBody({ key: Buffer.from(guardKey, 'utf8'), headers: [], value: encodeGuard(guard) });
    await writer.write([{ partition: 0, record: { timestamp: clock.now(), body } }]);
  } finally {
    await brokers.close();
  }
}
