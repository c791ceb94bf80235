import type { Message as KafkajsMessage } from 'kafkajs';
import { openQueue, queueAddress } from '../../src/compose/open.ts';
import type { NumberedCommand } from '../../src/domain/command.ts';
import { encodeBinary } from '../../src/domain/wire/binary.ts';
import type { Queue } from '../../src/ports/queue.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { type Contestant, contest, median, report } from '../support/contest.ts';
import { interleavedAppends, sessionIds } from '../support/entries.ts';
import { bareKafka, kafkaUrl, makeTopic } from '../support/kafka-topic.ts';
import { valuesOf } from '../support/pipeline.ts';
import { startKafka } from '../support/services.ts';

const topic = 'commands';
const inFlight = 256;
const transactions = 300;

/**
 * Publishing to a topic of 8 partitions, acknowledged by all replicas, beside kafkajs's `send` of the same messages with
 * the same headers: batches of 100 and of 1,000, one after the other, and single commands, 256 in flight. And how long
 * transactions take that follow one another at once.
 */
export async function publishToKafka(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('kafka-publish');
  try {
    await using kafka = await startKafka(directory);
    const address = kafka.addresses();
    await makeTopic(address, topic);
    let allMet = true;
    for (const size of [100, 1_000]) {
      const result = await contest(rounds, [ours(address, commands, size, 1), raw(address, commands, size, 1)]);
      allMet = report(`Publishing to Kafka, ${size} at a time`, 'commands', result, 0.9) && allMet;
    }
    const few = Math.ceil(commands / 10);
    const result = await contest(rounds, [ours(address, few, 1, inFlight), raw(address, few, 1, inFlight)]);
    allMet = report(`Publishing to Kafka, one at a time, ${inFlight} in flight`, 'commands', result, 0.9) && allMet;
    await timeTransactions(address);
    return allMet;
  } finally {
    await removeDirectory(directory);
  }
}

function open(address: string): Promise<Queue> {
  const values = valuesOf({ queue: kafkaUrl(address, topic) });
  return openQueue(queueAddress(values), values);
}

/** The commands in batches of this size. */
function batchesOf(count: number, size: number): readonly (readonly NumberedCommand[])[] {
  const commands = [...interleavedAppends(sessionIds(5_000), count)];
  const batches: NumberedCommand[][] = [];
  for (let at = 0; at < commands.length; at += size) batches.push(commands.slice(at, at + size));
  return batches;
}

async function sendAll<Batch>(batches: readonly Batch[], atOnce: number, send: (batch: Batch) => Promise<unknown>) {
  const source = batches.values();
  const sendRest = async (): Promise<void> => {
    for (const batch of source) await send(batch);
  };
  await Promise.all(Array.from({ length: atOnce }, sendRest));
}

function ours(address: string, count: number, size: number, atOnce: number): Contestant {
  const batches = batchesOf(count, size);
  return {
    name: 'kafka queue',
    async run() {
      await using queue = await open(address);
      await sendAll(batches, atOnce, (batch) => queue.publish(batch));
      return count;
    },
  };
}

function raw(address: string, count: number, size: number, atOnce: number): Contestant {
  const batches = batchesOf(count, size).map((batch) => batch.map(messageOf));
  return {
    name: 'kafkajs send, acks=all',
    async run() {
      const producer = bareKafka(address).producer();
      await producer.connect();
      await sendAll(batches, atOnce, (messages) => producer.send({ topic, acks: -1, messages }));
      await producer.disconnect();
      return count;
    },
  };
}

function messageOf(command: NumberedCommand): KafkajsMessage {
  const { key, headers, value } = encodeBinary(command);
  const named = headers.map(([name, content]) => [name, Buffer.from(content)] as const);
  return { key: Buffer.from(key ?? []), value: Buffer.from(value), headers: Object.fromEntries(named) };
}

async function timeTransactions(address: string): Promise<void> {
  await using queue = await open(address);
  await using publisher = await queue.fencedPublisher?.('bench');
  if (publisher === undefined) throw new TypeError('Kafka fences writers');
  const times: number[] = [];
  for (const [index, command] of [...interleavedAppends(sessionIds(5_000), transactions)].entries()) {
    const start = performance.now();
    await publisher.publish([command]);
    if (index > 0) times.push(performance.now() - start);
  }
  const worst = [...times].sort((one, other) => other - one)[Math.floor(times.length / 100)] ?? Number.NaN;
  console.log(
    `\n${transactions} transactions of one command in a row: median ${median(times).toFixed(1)} ms, p99 ${worst.toFixed(1)} ms`,
  );
}
