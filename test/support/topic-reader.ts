import { type KafkaCluster, openCluster } from '../../src/queues/kafka/connection/cluster.ts';
import { createKafka } from '../../src/queues/kafka/connection/create-kafka.ts';
import type { KafkaConnectionOptions } from '../../src/queues/kafka/connection/kafka-options.ts';
import { prepareCodecs } from '../../src/queues/kafka/protocol/compression/expand.ts';
import {
  type FetchedPartition,
  type FetchOptions,
  type FetchPartition,
  fetchRequest,
} from '../../src/queues/kafka/protocol/fetch.ts';
import {
  metadataRequest,
  type PartitionMetadata,
  type TopicMetadata,
} from '../../src/queues/kafka/protocol/metadata.ts';
import type { ReadRecords } from '../../src/queues/kafka/protocol/read-records.ts';
import { RecordReader } from '../../src/queues/kafka/protocol/record-reader.ts';
import { readAll } from './record-batches.ts';

/** Options for a broker without encryption, with times far above what any answer takes. */
export function plainOptions(address: string): KafkaConnectionOptions {
  return { brokers: address.split(','), clientId: 'test', connectionTimeout: 30_000, requestTimeout: 30_000 };
}

export interface ReadPartition {
  readonly read: readonly ReadRecords[];
  /** All bytes that were fetched. */
  readonly records: Buffer;
  readonly nextOffset: number;
}

/** Reads the first partition of a topic with the protocol layer alone. */
export class TopicReader implements AsyncDisposable {
  readonly cluster: KafkaCluster;
  readonly topic: TopicMetadata;
  readonly leader: PartitionMetadata;

  private constructor(cluster: KafkaCluster, topic: TopicMetadata, leader: PartitionMetadata) {
    this.cluster = cluster;
    this.topic = topic;
    this.leader = leader;
  }

  static async open(options: KafkaConnectionOptions, name: string): Promise<TopicReader> {
    await prepareCodecs();
    const cluster = openCluster(createKafka(options, () => undefined));
    try {
      await cluster.connect();
      await cluster.addTargetTopic(name);
      const [topic] = await cluster.send(await cluster.anyBroker(), metadataRequest([name]));
      const leader = topic?.partitions.find(({ partition }) => partition === 0);
      if (topic === undefined || leader === undefined) throw new Error(`no topic ${name}`);
      return new TopicReader(cluster, topic, leader);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** One fetch from the first partition. */
  async fetch(wanted: Partial<FetchOptions & FetchPartition>): Promise<FetchedPartition> {
    const { leaderEpoch } = this.leader;
    const { offset = 0, maxBytes = 1_048_576, maxWait = 100, minBytes = 1, topicId = this.topic.topicId } = wanted;
    const partitions = [{ partition: 0, offset, leaderEpoch, maxBytes, ...wanted }];
    const request = fetchRequest({ topicId, partitions, maxWait, minBytes, maxBytes });
    const broker = await this.cluster.findBroker(this.leader.leader);
    const { partitions: fetched } = await this.cluster.send(broker, request);
    const [partition] = fetched;
    if (partition === undefined) throw new Error('no partition in the answer');
    return partition;
  }

  /** Everything from an offset up to, and without, another one. */
  async readTo(end: number, from = 0): Promise<ReadPartition> {
    const read: ReadRecords[] = [];
    const records: Buffer[] = [];
    let nextOffset = from;
    while (nextOffset < end) {
      const fetched = await this.fetch({ offset: nextOffset });
      if (fetched.errorCode !== 0) throw new Error(`fetching failed with ${fetched.errorCode}`);
      const reader = new RecordReader(fetched.records, fetched.abortedTransactions, nextOffset);
      read.push(...readAll(reader));
      records.push(fetched.records);
      nextOffset = reader.nextOffset;
    }
    return { read, records: Buffer.concat(records), nextOffset };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster.close();
  }
}
