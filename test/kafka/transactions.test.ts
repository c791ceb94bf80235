import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PersistenceError } from '../../src/domain/errors.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { type BrokerFailure, type BrokerLink, isFailure } from '../../src/queues/kafka/publishing/broker-link.ts';
import { TransactionalProducer } from '../../src/queues/kafka/publishing/transactional-producer.ts';
import { kafkaAddress } from '../support/kafka.ts';
import { initialisedTopic } from './kafka-queue-harness.ts';
import { producerParts, roundsOf } from './producer-parts.ts';

const program = fileURLToPath(new URL('open-transaction.mjs', import.meta.url));
const build = new URL('../../dist/src', import.meta.url).href;

/** What is told when the connection broke before the answer came. */
const lost: BrokerFailure = { asks: 'again', error: new PersistenceError('QUEUE_UNAVAILABLE', 'the connection broke') };
const closing = new AbortController().signal;

function producerOver(link: BrokerLink): TransactionalProducer {
  return new TransactionalProducer({ link, clock: systemClock, patience: 30_000, closing });
}

/** The brokers, but that something else happens before a transaction is ended for the first time. */
function before(link: BrokerLink, act: () => Promise<void>): BrokerLink {
  let isFirst = true;
  return {
    initialise: (after) => link.initialise(after),
    addPartitions: (identity, partitions) => link.addPartitions(identity, partitions),
    produce: (batches) => link.produce(batches),
    ends: (place) => link.ends(place),
    async endTransaction(identity, outcome) {
      if (isFirst) await act();
      isFirst = false;
      return await link.endTransaction(identity, outcome);
    },
  };
}

test('a successor shuts out a publisher in the middle of a transaction: readers see only what the successor wrote', async () => {
  const topic = await initialisedTopic(kafkaAddress());
  await using parts = await producerParts(kafkaAddress(), topic, topic);
  const successor = producerOver(parts.link());
  const old = producerOver(before(parts.link(), () => successor.open()));
  await expect(old.write(await roundsOf('of the old one'))).rejects.toMatchObject({
    code: 'WRITER_FENCED',
    retryable: false,
  });
  await successor.write(await roundsOf('of the successor'));
  await expect(old.write(await roundsOf('of the old one again'))).rejects.toMatchObject({ code: 'WRITER_FENCED' });
  expect(await parts.committed()).toEqual(['of the successor']);
});

test.each(['settles', 'publishes'] as const)(
  'one that was shut out and %s does not end the transaction that its successor is in',
  async (act) => {
    const topic = await initialisedTopic(kafkaAddress());
    await using parts = await producerParts(kafkaAddress(), topic, topic);
    const old = producerOver(parts.link());
    await old.open();
    const stale = await roundsOf('of the old one again');
    const successor = parts.link();
    const identity = await successor.initialise(undefined);
    if (isFailure(identity)) throw identity.error;
    expect(await successor.addPartitions(identity, [0])).toBeUndefined();
    await expect(act === 'settles' ? old.open() : old.write(stale)).rejects.toMatchObject({ code: 'WRITER_FENCED' });
    // Nobody has made it begin anew: that would go well once, and fail if it happened again meanwhile.
    expect(await successor.endTransaction(identity, 'commit')).toBeUndefined();
  },
);

test('a publisher that is killed in the middle of a transaction does not stop its successor', async () => {
  const topic = await initialisedTopic(kafkaAddress());
  const child = spawn(process.execPath, [program, build, kafkaAddress(), topic], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toBe('open\n');
  } finally {
    child.kill('SIGKILL');
  }
  await once(child, 'close');
  await using parts = await producerParts(kafkaAddress(), topic, topic);
  await producerOver(parts.link()).write(await roundsOf('of the successor'));
  expect(await parts.committed()).toEqual(['of the successor']);
});

test('a transaction that the brokers gave up for its age is written again, since nobody else has taken over', async () => {
  const topic = await initialisedTopic(kafkaAddress());
  await using parts = await producerParts(kafkaAddress(), topic, topic);
  const link = parts.link(1_000);
  const givenUp = async (): Promise<void> => {
    for (;;) {
      const ends = await link.ends('latest');
      if (!isFailure(ends) && ends.get(0) !== 0) return;
      await systemClock.sleep(50);
    }
  };
  const producer = producerOver(before(link, givenUp));
  await producer.write(await roundsOf('late'));
  await producer.write(await roundsOf('next'));
  expect(await parts.committed()).toEqual(['late', 'next']);
});

test('a commit whose answer is lost is asked for again, and counts once', async () => {
  const topic = await initialisedTopic(kafkaAddress());
  await using parts = await producerParts(kafkaAddress(), topic, topic);
  const link = parts.link();
  let asked = 0;
  const losing: BrokerLink = {
    ...before(link, async () => undefined),
    async endTransaction(identity, outcome) {
      asked += 1;
      const answer = await link.endTransaction(identity, outcome);
      return asked === 1 ? lost : answer;
    },
  };
  const producer = producerOver(losing);
  await producer.write(await roundsOf('one', 'two'));
  await producer.write(await roundsOf('three'));
  expect(asked).toBeGreaterThan(2);
  expect(await parts.committed()).toEqual(['one', 'two', 'three']);
});
