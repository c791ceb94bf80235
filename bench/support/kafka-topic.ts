import { Kafka, logLevel } from 'kafkajs';
import { initKafka } from '../../src/compose/kafka.ts';
import type { KafkaAddress } from '../../src/compose/kafka-connection.ts';
import { openQueue, queueAddress } from '../../src/compose/open.ts';
import { fillQueue, valuesOf } from './pipeline.ts';

/** As many as a topic has that `init` makes when nothing is said. */
export const partitions = 8;

/** The address of a topic as settings name it. */
export function kafkaUrl(address: string, topic: string): string {
  return `kafka://${address}/${topic}`;
}

/** Makes the topic as `macp-persist init` does. */
export async function makeTopic(address: string, topic: string): Promise<void> {
  const values = valuesOf({ queue: kafkaUrl(address, topic), 'kafka-partitions': String(partitions) });
  await initKafka(queueAddress(values) as KafkaAddress, values, false);
}

/** Makes a topic of `count` appends that interleave `sessions` sessions. */
export async function fillTopic(address: string, topic: string, sessions: number, count: number): Promise<void> {
  await makeTopic(address, topic);
  const values = valuesOf({ queue: kafkaUrl(address, topic) });
  await using queue = await openQueue(queueAddress(values), values);
  await fillQueue(queue, sessions, count);
}

/** kafkajs as it comes, for what it does by itself; only errors are told. */
export function bareKafka(address: string): Kafka {
  return new Kafka({ clientId: 'bench', brokers: address.split(','), logLevel: logLevel.ERROR });
}
