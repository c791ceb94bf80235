import { describe, expect, test } from 'vitest';
import { consumeAll, someCommand, someSessions, startingAt } from '../../src/conformance/queue-samples.ts';
import type { Position } from '../../src/domain/delivery.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Queue } from '../../src/ports/queue.ts';
import type { Sink } from '../../src/publisher/sink.ts';
import type { KafkaQueue } from '../../src/queues/kafka/kafka-queue.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { startBroker } from '../support/kafka.ts';
import { initialisedTopic, queueOptions } from './kafka-queue-harness.ts';

/** Publishes one command after the other for each session, as a publisher does that never gives up, until told to stop. */
class Publishing {
  readonly acknowledged = new Map<SessionId, Position[]>(someSessions.map((session) => [session, []]));
  #isStopped = false;
  #lastRefusal = 'nothing';
  readonly #work: Promise<unknown>;

  constructor(sink: Sink) {
    this.#work = Promise.all(someSessions.map((session) => this.#publish(sink, session)));
  }

  /** Resolves once a good many commands more are acknowledged. */
  async more(): Promise<void> {
    const count = (): number => [...this.acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
    const before = count();
    const enough = expect.poll(count, { timeout: 90_000 }).toBeGreaterThan(before + 200);
    await Promise.race([this.#work, enough]).catch((cause) => {
      throw new Error(`publishing did not go on; refused last: ${this.#lastRefusal}`, { cause });
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
  }

  async #publish(sink: Sink, session: SessionId): Promise<void> {
    const positions = this.acknowledged.get(session) ?? [];
    while (!this.#isStopped) {
      try {
        positions.push(...(await sink.publish([someCommand(session, positions.length + 1)])));
      } catch (error) {
        if (!isPersistenceError(error) || !error.retryable) throw error;
        this.#lastRefusal = error.message;
        await sink.whenWritable();
      }
    }
  }
}

/** Every acknowledged command lies where it was said to lie, and each session's come first in their order. */
async function expectAllThere(queue: Queue, acknowledged: Publishing['acknowledged']): Promise<void> {
  const found = new Map<string, number>();
  const next = new Map<SessionId, number>();
  for (const { content, position } of await consumeAll(queue)) {
    if (content.kind !== 'numbered') throw new Error(`not a command: ${content.kind}`);
    found.set(`${position.partition}/${position.offset} ${content.session}`, content.sequence);
    const expected = next.get(content.session) ?? 1;
    // One that comes again is a duplicate; one that comes too early would have overtaken.
    expect(content.sequence).toBeLessThanOrEqual(expected);
    if (content.sequence === expected) next.set(content.session, expected + 1);
  }
  for (const [session, positions] of acknowledged) {
    for (const [index, { partition, offset }] of positions.entries()) {
      expect(found.get(`${partition}/${offset} ${session}`)).toBe(index + 1);
    }
  }
}

describe.each<readonly [string, (queue: KafkaQueue) => Promise<Sink>]>([
  ['a publisher', async (queue) => queue],
  ['a publisher with a name', (queue) => queue.fencedPublisher('writer')],
])('%s', (_, publisherOf) => {
  test('loses nothing and lets nothing overtake when the broker is killed, hangs and comes back', async () => {
    await using broker = await startBroker();
    const topic = await initialisedTopic(broker.address);
    await using queue = await openKafkaQueue(queueOptions(broker.address, topic));
    const publishing = new Publishing(await publisherOf(queue));
    await publishing.more();
    await broker.kill();
    await broker.restart();
    await publishing.more();
    broker.pause();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    broker.resume();
    await publishing.more();
    await publishing.stop();
    await expectAllThere(queue, publishing.acknowledged);
  });
});

test('publishers go on when a partition gets another leader', async () => {
  await using kafka = await startBroker({ nodes: 3 });
  const topic = await initialisedTopic(kafka.address, 6);
  await using queue = await openKafkaQueue(queueOptions(kafka.address, topic));
  const publishing = new Publishing(queue);
  await publishing.more();
  await kafka.brokers[0]?.kill();
  await publishing.more();
  await publishing.stop();
  await expectAllThere(queue, publishing.acknowledged);
});

test('closing does not wait for a broker that hangs, whatever it was asked', async () => {
  await using broker = await startBroker();
  const topic = await initialisedTopic(broker.address);
  const options = queueOptions(broker.address, topic);
  const connection = { ...options.connection, requestTimeout: 600_000 };
  const queue = await openKafkaQueue({ ...options, connection, inquiryIntervalMs: 20 });
  const [session] = someSessions;
  if (session === undefined) throw new Error('no session');
  await queue.publish([someCommand(session, 1)]);
  await queue.consume(startingAt());
  broker.pause();
  // Long enough for it to be asked by then whether everything was moved.
  await systemClock.sleep(100);
  const published = queue.publish([someCommand(session, 2)]);
  await Promise.all([expect(published).rejects.toMatchObject({ code: 'QUEUE_CLOSED' }), queue.close()]);
});

test('while the broker is away a full queue pushes back, and takes more once it is back', async () => {
  await using broker = await startBroker();
  const topic = await initialisedTopic(broker.address);
  const options = { ...queueOptions(broker.address, topic), maximumWaitingBytes: 50_000 };
  await using queue = await openKafkaQueue(options);
  const [session = someSessions[0]] = someSessions;
  if (session === undefined) throw new Error('no session');
  await queue.publish([someCommand(session, 1)]);
  await broker.kill();
  const data = 'x'.repeat(10_000);
  const waiting: Promise<unknown>[] = [];
  let refused: unknown;
  for (let sequence = 2; refused === undefined; sequence += 1) {
    const published = queue.publish([someCommand(session, sequence, data)]);
    refused = await Promise.race([
      published.then(
        () => undefined,
        (error: unknown) => error,
      ),
      new Promise((resolve) => setImmediate(resolve, undefined)),
    ]);
    if (refused === undefined) waiting.push(published);
  }
  expect(refused).toMatchObject({ code: 'QUEUE_FULL' });
  expect(waiting.length).toBeGreaterThan(2);
  await expect(queue.whenWritable(AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'ABORTED' });
  const writable = queue.whenWritable();
  await broker.restart();
  await writable;
  await Promise.all(waiting);
  expect(await consumeAll(queue)).toHaveLength(waiting.length + 1);
});
