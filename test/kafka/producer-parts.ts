import { systemClock } from '../../src/platform/system-clock.ts';
import { readBounds } from '../../src/queues/kafka/consumer/read-bounds.ts';
import { batchRecords } from '../../src/queues/kafka/publishing/batches.ts';
import { ClusterLink } from '../../src/queues/kafka/publishing/broker-link.ts';
import type { Rounds } from '../../src/queues/kafka/publishing/producer.ts';
import { encodeRecordBody } from '../../src/queues/kafka/publishing/record-body.ts';
import { untilRead } from '../../src/queues/kafka/publishing/until-read.ts';
import { readPartition } from '../../src/queues/kafka/topics/read-partition.ts';
import { TopicAdministration } from '../../src/queues/kafka/topics/topic-administration.ts';
import { connectionTo } from './kafka-queue-harness.ts';

/** The brokers of a topic as its producers and readers see them, beneath a queue. */
export interface ProducerParts extends AsyncDisposable {
  link(transactionTimeout?: number): ClusterLink;
  /** The values of partition 0 that readers of committed records see, once they get to the end of what is written now. */
  committed(): Promise<readonly string[]>;
}

export async function producerParts(
  address: string,
  topic: string,
  transactionalId: string | undefined,
): Promise<ProducerParts> {
  const options = { connection: connectionTo(address), clock: systemClock, onLog: () => undefined };
  const administration = await TopicAdministration.open(options);
  const facts = await administration.describe(topic);
  if (facts === undefined) throw new Error(`no topic ${topic}`);
  const brokers = administration.brokersOf(facts);
  const link = (transactionTimeout = 60_000): ClusterLink =>
    new ClusterLink({ brokers, topic: brokers.topic, transactionalId, transactionTimeout, produceTimeout: 10_000 });
  return {
    link,
    async committed() {
      const closing = new AbortController().signal;
      await untilRead({ link: link(), clock: systemClock, patience: 60_000, closing });
      const bounds = await readBounds(brokers, [0]);
      const values: string[] = [];
      const stretch = { partition: 0, from: 0, to: bounds.get(0)?.end ?? 0 };
      for await (const records of readPartition(brokers, systemClock, stretch)) {
        for (const read of records) if (read.kind === 'record') values.push(Buffer.from(read.value).toString('utf8'));
      }
      return values;
    },
    async [Symbol.asyncDispose]() {
      await brokers.close();
      await administration.close();
    },
  };
}

/** These values as records of partition 0. */
export async function roundsOf(...values: readonly string[]): Promise<Rounds> {
  const placed = values.map((value) => {
    const body = encodeRecordBody({ key: undefined, headers: [], value: Buffer.from(value, 'utf8') });
    return { partition: 0, record: { timestamp: 1, body } };
  });
  return (await batchRecords(placed, { batchBytes: 1024, codec: undefined })).rounds;
}
