import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isPersistenceError } from '../../src/domain/errors.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { BrokerLink } from '../../src/queues/kafka/publishing/broker-link.ts';
import { TransactionalProducer } from '../../src/queues/kafka/publishing/transactional-producer.ts';
import { type OwnKafka, startBroker } from '../support/kafka.ts';
import { initialisedTopic } from './kafka-queue-harness.ts';
import { type ProducerParts, producerParts, roundsOf } from './producer-parts.ts';

/** What a producer asks of the brokers for one transaction, in turn. */
const steps = ['initialise', 'addPartitions', 'produce', 'endTransaction'] as const;
type Step = (typeof steps)[number];
/** Whether the broker dies before it is asked, or with the answer. */
type Moment = 'before' | 'behind';
/** What comes before a step is what comes behind the one before, but that the producer has heard of it. */
const places: readonly (readonly [Step, Moment])[] = [
  ['initialise', 'before'],
  ['endTransaction', 'before'],
  ...steps.map((step) => [step, 'behind'] as const),
];

/** The broker, which dies once: at a step, before it is asked or once it has answered, so that the answer is lost. */
function dyingAt(link: BrokerLink, at: Step, moment: Moment, die: () => Promise<void>): BrokerLink {
  let isAlive = true;
  const step = async <Answer>(name: Step, ask: () => Promise<Answer>): Promise<Answer> => {
    if (!isAlive || name !== at) return await ask();
    isAlive = false;
    if (moment === 'behind') await ask();
    await die();
    return await ask();
  };
  return {
    initialise: (after) => step('initialise', () => link.initialise(after)),
    addPartitions: (identity, partitions) => step('addPartitions', () => link.addPartitions(identity, partitions)),
    produce: (batches) => step('produce', () => link.produce(batches)),
    endTransaction: (identity, outcome) => step('endTransaction', () => link.endTransaction(identity, outcome)),
    ends: (place) => link.ends(place),
  };
}

function producerOver(link: BrokerLink, patience: number): TransactionalProducer {
  return new TransactionalProducer({ link, clock: systemClock, patience, closing: new AbortController().signal });
}

/**
 * True when the broker, started anew, left out a partition of the topic when it told of a transaction's end: it does that
 * where the partition has no leader yet, and would have the transaction open for ever.
 */
function hasForgotten(kafka: OwnKafka, topic: string): boolean {
  const lines = kafka.brokers.flatMap(({ log }) => readFileSync(log, 'utf8').split('\n'));
  return lines.some((line) => line.includes('likely deleted already') && line.includes(topic));
}

async function written(producer: TransactionalProducer, ...values: readonly string[]): Promise<string> {
  const writing = producer.write(await roundsOf(...values));
  return await writing.then(
    () => 'durable',
    (error: unknown) => (isPersistenceError(error) ? error.code : String(error)),
  );
}

interface Outage {
  readonly parts: ProducerParts;
  readonly at: Step;
  readonly moment: Moment;
  readonly topic: string;
}

async function forEveryMoment(kafka: OwnKafka, check: (outage: Outage) => Promise<void>): Promise<void> {
  for (const [at, moment] of places) {
    const topic = await initialisedTopic(kafka.address);
    await using parts = await producerParts(kafka.address, topic, topic);
    await check({ parts, at, moment, topic });
  }
}

test('whenever the broker is killed and started again in a transaction, it is committed once, or told as open', async () => {
  await using kafka = await startBroker();
  await forEveryMoment(kafka, async ({ parts, at, moment, topic }) => {
    const name = `${at}, ${moment}`;
    const die = async (): Promise<void> => {
      await kafka.kill();
      await kafka.restart();
    };
    const producer = producerOver(dyingAt(parts.link(), at, moment, die), 20_000);
    const outcome = await written(producer, 'one', 'two');
    const isForgotten = outcome === 'QUEUE_UNAVAILABLE' && hasForgotten(kafka, topic);
    if (!isForgotten) expect(outcome, name).toBe('durable');
    // What was forgotten is given up before anything is written behind it; the partition itself may have heard of it.
    await producer.write(await roundsOf('three'));
    const outcomes = [['one', 'two', 'three'], ...(isForgotten ? [['three']] : [])];
    expect(outcomes, name).toContainEqual(await parts.committed());
  });
});

test('whenever the broker is killed and stays away, a write is told as open, and settled once the broker is back', async () => {
  await using kafka = await startBroker();
  await forEveryMoment(kafka, async ({ parts, at, moment, topic }) => {
    const name = `${at}, ${moment}`;
    const link = dyingAt(parts.link(), at, moment, () => kafka.kill());
    const producer = producerOver(link, 1_000);
    expect(await written(producer, 'one', 'two'), name).toBe('QUEUE_UNAVAILABLE');
    await kafka.restart();
    await expect.poll(() => producer.open().then(() => 'settled', String)).toBe('settled');
    expect(await written(producer, 'three'), name).toBe('durable');
    const isCommitted = at === 'endTransaction' && moment === 'behind';
    const outcomes = isCommitted
      ? [['one', 'two', 'three'], ...(hasForgotten(kafka, topic) ? [['three']] : [])]
      : [['three']];
    expect(outcomes, name).toContainEqual(await parts.committed());
  });
});
