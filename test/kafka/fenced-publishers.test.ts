import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { consumeAll, someCommand, someSessions } from '../../src/conformance/queue-samples.ts';
import type { Position } from '../../src/domain/delivery.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { parseSessionId } from '../../src/domain/identifiers.ts';
import type { PartitionBounds, Queue } from '../../src/ports/queue.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { kafkaAddress, kafkaClient } from '../support/kafka.ts';
import { initialisedTopic, queueOptions } from './kafka-queue-harness.ts';
import { producerParts } from './producer-parts.ts';

const program = fileURLToPath(new URL('fenced-publishers/publisher.mjs', import.meta.url));
/** `npm test` builds it first. */
const build = new URL('../../dist/src', import.meta.url).href;
const successorSession = parseSessionId('of the successor');

interface Outcome {
  readonly session: SessionId;
  readonly sequence: number;
  readonly outcome: string;
  readonly position?: Position;
}
type Said = Outcome | { readonly reached: string } | { readonly settled: string };

/** A publisher in a process of its own, and all that it has said. */
class OtherPublisher implements AsyncDisposable {
  readonly said: Said[] = [];
  readonly #process: ChildProcess;
  readonly #changed = new EventEmitter();

  constructor(topic: string, sessions: readonly SessionId[], stop?: string) {
    const options = queueOptions(kafkaAddress(), topic);
    this.#process = fork(program, [JSON.stringify({ build, queue: options, sessions, stop })]);
    this.#process.on('exit', () => this.#changed.emit('changed'));
    this.#process.on('message', (said: Said) => {
      this.said.push(said);
      this.#changed.emit('changed');
    });
  }

  get outcomes(): readonly Outcome[] {
    return this.said.filter((one): one is Outcome => 'outcome' in one);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      expect(this.#isOver, `it ended, and had said ${JSON.stringify(this.said)}`).toBe(false);
      await once(this.#changed, 'changed');
    }
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#process.kill(name);
  }

  /** Lets it take the step that it stopped before. */
  goOn(): void {
    this.#process.send('go on');
  }

  async ended(): Promise<void> {
    while (!this.#isOver) await once(this.#changed, 'changed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }

  get #isOver(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}

/** What the queue holds, as session, sequence and place. */
async function held(queue: Queue): Promise<ReadonlyMap<string, Position>> {
  const deliveries = await consumeAll(queue);
  return new Map(
    deliveries.flatMap(({ content, position }) =>
      content.kind === 'numbered' ? [[`${content.session}/${content.sequence}`, position] as const] : [],
    ),
  );
}

function isBefore({ partition, offset }: Position, ends: ReadonlyMap<number, PartitionBounds>): boolean {
  return offset < (ends.get(partition)?.end ?? 0);
}

/** Takes over, and publishes; resolves with the ends that it noted before. */
async function succeed(queue: Queue): Promise<ReadonlyMap<number, PartitionBounds>> {
  const publisher = await queue.fencedPublisher?.('one');
  const ends = await queue.bounds();
  await publisher?.publish([someCommand(successorSession, 1)]);
  await publisher?.settle();
  await publisher?.close();
  return ends;
}

/** Moments of a commit, and whether it was committed by then. */
const moments = [
  ['before addPartitions', false],
  ['before produce', false],
  ['before endTransaction', false],
  ['behind endTransaction', true],
] as const;
const [one = successorSession] = someSessions;

test.each(moments)(
  'one that is killed %s leaves all or nothing, before its successor begins',
  async (moment, isCommitted) => {
    const topic = await initialisedTopic(kafkaAddress());
    await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), topic));
    await using old = new OtherPublisher(topic, [one], moment);
    await old.until(() => old.said.length > 0);
    old.signal('SIGKILL');
    const ends = await succeed(queue);
    const found = await held(queue);
    expect([...found.keys()].sort()).toEqual([...(isCommitted ? [`${one}/1`] : []), `${successorSession}/1`].sort());
    const position = found.get(`${one}/1`);
    if (position !== undefined) expect(isBefore(position, ends)).toBe(true);
  },
);

test.each(moments)(
  'one that is stopped %s and wakes up late writes nothing, and says nothing else',
  async (moment, isCommitted) => {
    const topic = await initialisedTopic(kafkaAddress());
    await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), topic));
    await using old = new OtherPublisher(topic, [one], moment);
    await old.until(() => old.said.length > 0);
    old.signal('SIGSTOP');
    const ends = await succeed(queue);
    old.goOn();
    old.signal('SIGCONT');
    await old.ended();
    const told = old.outcomes.map(({ sequence, outcome }) => [sequence, outcome]);
    if (isCommitted)
      expect(told).toEqual([
        [1, 'durable'],
        [2, 'WRITER_FENCED'],
      ]);
    else expect(told).toEqual([[1, 'WRITER_FENCED']]);
    expect(old.said.at(-1)).toEqual({ settled: 'WRITER_FENCED' });
    const found = await held(queue);
    const position = found.get(`${one}/1`);
    expect(position !== undefined && isBefore(position, ends)).toBe(isCommitted);
    expect(found.size).toBe(isCommitted ? 2 : 1);
  },
);

test('one that is stopped while it publishes as fast as it can keeps its word when it wakes up', async () => {
  for (let round = 0; round < 5; round += 1) {
    const topic = await initialisedTopic(kafkaAddress());
    await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), topic));
    await using old = new OtherPublisher(topic, someSessions);
    await old.until(() => old.outcomes.length > 100 + 37 * round);
    old.signal('SIGSTOP');
    const ends = await succeed(queue);
    old.signal('SIGCONT');
    await old.ended();
    const found = await held(queue);
    for (const { session, sequence, outcome, position } of old.outcomes) {
      const at = found.get(`${session}/${sequence}`);
      if (outcome === 'durable') expect(at).toEqual(position);
      else if (outcome === 'WRITER_FENCED') expect(at).toBeUndefined();
      else expect(outcome).toBe('QUEUE_UNAVAILABLE');
      if (at !== undefined) expect(isBefore(at, ends)).toBe(true);
    }
    expect(old.outcomes.filter(({ outcome }) => outcome !== 'durable').length).toBe(someSessions.length);
    // Whatever it never spoke of is there in its order, before the ends, or not at all.
    for (const [name, at] of found) if (!name.startsWith(`${successorSession}/`)) expect(isBefore(at, ends)).toBe(true);
  }
});

test('whose predecessor committed behind a transaction of somebody else, it begins once that has ended', async () => {
  const topic = await initialisedTopic(kafkaAddress(), 1);
  await using queue = await openKafkaQueue(queueOptions(kafkaAddress(), topic));
  const old = await queue.fencedPublisher('one');
  const other = kafkaClient().producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 });
  await other.connect();
  const open = await other.transaction();
  await open.send({ topic, messages: [{ value: 'undecided' }] });
  const publishing = old.publish([someCommand(one, 1)]);
  await using parts = await producerParts(kafkaAddress(), topic, undefined);
  // The marker of the rehearsal, the open record, the command, and the marker of its commit.
  await expect.poll(() => parts.link().ends('written')).toEqual(new Map([[0, 4]]));
  let ends: ReadonlyMap<number, PartitionBounds> | undefined;
  const succeeding = succeed(queue).then((noted) => {
    ends = noted;
  });
  expect((await queue.bounds()).get(0)?.end).toBe(1);
  expect(ends).toBeUndefined();
  await open.abort();
  await succeeding;
  const [position] = await publishing;
  expect(position !== undefined && ends !== undefined && isBefore(position, ends)).toBe(true);
  await other.disconnect();
});
