import { expect, test } from 'vitest';
import { isPersistenceError } from '../../src/domain/errors.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { BrokerLink } from '../../src/queues/kafka/publishing/broker-link.ts';
import { TransactionalProducer } from '../../src/queues/kafka/publishing/transactional-producer.ts';
import { type OwnKafka, startBroker } from '../support/kafka.ts';
import { initialisedTopic } from './kafka-queue-harness.ts';
import { producerParts, roundsOf } from './producer-parts.ts';

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

async function forEveryMoment(
  kafka: OwnKafka,
  check: (parts: Awaited<ReturnType<typeof producerParts>>, at: Step, moment: Moment) => Promise<void>,
): Promise<void> {
  for (const [at, moment] of places) {
    const topic = await initialisedTopic(kafka.address);
    await using parts = await producerParts(kafka.address, topic, topic);
    await check(parts, at, moment);
  }
}

test('whenever the broker is killed and started again in a transaction, it is committed once', async () => {
  await using kafka = await startBroker();
  await forEveryMoment(kafka, async (parts, at, moment) => {
    const die = async (): Promise<void> => {
      await kafka.kill();
      await kafka.restart();
    };
    const producer = producerOver(dyingAt(parts.link(), at, moment, die), 60_000);
    await producer.write(await roundsOf('one', 'two'));
    await producer.write(await roundsOf('three'));
    expect(await parts.committed(), `${at}, ${moment}`).toEqual(['one', 'two', 'three']);
  });
});

test('whenever the broker is killed and stays away, a write is told as open, and settled once the broker is back', async () => {
  await using kafka = await startBroker();
  await forEveryMoment(kafka, async (parts, at, moment) => {
    const name = `${at}, ${moment}`;
    const producer = producerOver(
      dyingAt(parts.link(), at, moment, () => kafka.kill()),
      300,
    );
    const outcome = await producer.write(await roundsOf('one', 'two')).then(
      () => 'durable',
      (error: unknown) => (isPersistenceError(error) ? error.code : String(error)),
    );
    expect(outcome, name).toBe('QUEUE_UNAVAILABLE');
    await kafka.restart();
    await expect.poll(() => producer.open().then(() => 'settled', String), { timeout: 60_000 }).toBe('settled');
    const settled = await parts.committed();
    const isCommitted = at === 'endTransaction' && moment === 'behind';
    expect(settled, name).toEqual(isCommitted ? ['one', 'two'] : []);
    await producer.write(await roundsOf('three'));
    expect(await parts.committed(), name).toEqual([...settled, 'three']);
  });
});
