import assert from 'node:assert/strict';
import { isPersistenceError } from '../domain/errors.ts';
import { parseSessionId, type SessionId } from '../domain/identifiers.ts';
import type { FencedPublisher, Queue } from '../ports/queue.ts';
import type { QueueLawDefinition, QueueUnderTest } from './queue-law.ts';
import {
  assertDelivered,
  assertDense,
  assertRejects,
  commandWithData,
  consumeAll,
  consumeWhole,
  positionsAfter,
  someCommand,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
  told,
  toldCommand,
} from './queue-samples.ts';

const ada = parseSessionId('ada');
const ben = parseSessionId('ben');
const needs = 'fencesWriters';

export const fenceLaws: readonly QueueLawDefinition[] = [
  {
    name: 'a successor shuts out whoever held its name before, for good, and nobody else',
    needs,
    async check(subject) {
      const { queue } = subject;
      await using old = await publisherOf(queue, 'one');
      await using other = await publisherOf(queue, 'other');
      await old.publish([someCommand(ada, 1)]);
      await other.publish([someCommand(ben, 1)]);
      await using successor = await publisherOf(await another(subject), 'one');
      await assertRejects('WRITER_FENCED', old.publish([someCommand(ada, 8)]));
      await successor.publish([someCommand(ada, 2)]);
      await assertRejects('WRITER_FENCED', old.publish([someCommand(ada, 9)]));
      await assertRejects('WRITER_FENCED', old.settle());
      await other.publish([someCommand(ben, 2)]);
      await queue.publish([someCommand(ben, 3)]);
      await successor.publish([someCommand(ada, 3)]);
      assertDelivered(await consumeAll(queue), [...someCommands([ada], 1, 3), ...someCommands([ben], 1, 3)]);
    },
  },
  {
    name: 'a publisher that has nothing to publish learns of its successor by settling, and before that of none',
    needs,
    async check(subject) {
      const { queue } = subject;
      await using old = await publisherOf(queue, 'one');
      await old.settle();
      await old.publish([someCommand(ada, 1)]);
      await old.settle();
      await using successor = await publisherOf(await another(subject), 'one');
      await assertRejects('WRITER_FENCED', old.settle());
      await successor.publish([someCommand(ada, 2)]);
      await assertRejects('WRITER_FENCED', old.publish([someCommand(ada, 9)]));
      assertDelivered(await consumeAll(queue), someCommands([ada], 1, 2));
    },
  },
  {
    name: 'what was under way when a successor has its name is there before the bounds asked for then, or never',
    needs,
    async check(subject) {
      for (let round = 0; round < 4; round += 1) {
        const old = await publisherOf(subject.queue, 'one');
        const outcomes = new Map<string, Outcome>();
        const callers = someSessions.map((session) => publishUntilShutOut(old, session, `old ${round}`, outcomes));
        while (outcomes.size < 40 * round) await turn();
        const queue = await another(subject);
        await using successor = await publisherOf(queue, 'one');
        const ends = await queue.bounds();
        await successor.publish(someSessions.map((session) => someCommand(session, 1, `successor ${round}`)));
        await Promise.all(callers);
        for (const delivery of await consumeAll(queue)) {
          const outcome = outcomes.get(told(delivery));
          if (!outcomes.delete(told(delivery))) continue;
          assert.notEqual(outcome, 'never', `${told(delivery)} was said never to be there`);
          const { partition, offset } = delivery.position;
          assert.ok(
            offset < (ends.get(partition)?.end ?? 0),
            `${told(delivery)} came after its publisher was shut out`,
          );
        }
        assert.ok(![...outcomes.values()].includes('durable'), 'what was said to be durable is there');
        await old.close();
      }
    },
  },
  {
    name: 'of several that want a name at once one gets it',
    needs,
    async check({ queue }) {
      const publishers = await Promise.all(Array.from({ length: 5 }, () => publisherOf(queue, 'one')));
      const outcomes = await Promise.allSettled(
        publishers.map((publisher, index) => publisher.publish([someCommand(ada, index + 1)])),
      );
      const settled = await Promise.allSettled(publishers.map((publisher) => publisher.settle()));
      for (const all of [outcomes, settled]) {
        assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
      }
      assert.equal((await consumeAll(queue)).length, 1);
    },
  },
  {
    name: 'publishes under a name keep their order, stand where they are said to, and are refused when they are not valid',
    needs,
    async check({ queue }) {
      await using publisher = await publisherOf(queue, 'one');
      assert.deepEqual(await publisher.publish([]), []);
      const commands = someCommands(someSessions.slice(0, 5), 1, 40);
      const publishing = commands.map((command) => publisher.publish([command]));
      const broken = { ...someCommand(ada, 1), session: '../x' as SessionId };
      await assertRejects('INVALID_SESSION_ID', publisher.publish([someCommand(ada, 1), broken]));
      const positions = (await Promise.all(publishing)).flat();
      const deliveries = await consumeAll(queue);
      assertDelivered(deliveries, commands);
      const found = new Map(deliveries.map((delivery) => [told(delivery), delivery.position]));
      for (const [index, command] of commands.entries()) {
        assert.deepEqual(found.get(toldCommand(command)), positions[index]);
      }
    },
  },
  {
    name: 'a publish under a name that is given up is in the queue whole, or not at all; so is opening',
    needs,
    async check({ queue }) {
      await using publisher = await publisherOf(queue, 'one');
      await assertRejects('ABORTED', publisherOf(queue, 'one', AbortSignal.abort()));
      await assertRejects('ABORTED', publisher.publish([someCommand(ada, 1)], AbortSignal.abort()));
      const publishes = Array.from({ length: 60 }, (_, index) => {
        const giveUp = new AbortController();
        const commands = [someCommand(ada, index * 2 + 1), someCommand(ada, index * 2 + 2)];
        const outcome = publisher.publish(commands, giveUp.signal).then(
          () => commands,
          (error: unknown) => (isPersistenceError(error, 'ABORTED') ? [] : Promise.reject(error)),
        );
        if (index % 3 === 1) giveUp.abort();
        return outcome;
      });
      const published = (await Promise.all(publishes)).flat();
      assertDelivered(await consumeAll(queue), published);
    },
  },
  {
    name: 'closing a publisher settles what is under way, may be done twice, and refuses what comes after',
    needs,
    async check({ queue }) {
      const publisher = await publisherOf(queue, 'one');
      const under = publisher.publish([someCommand(ada, 1)]).then(
        () => [someCommand(ada, 1)],
        (error: unknown) => (isPersistenceError(error, 'QUEUE_CLOSED') ? [] : Promise.reject(error)),
      );
      await Promise.all([publisher.close(), publisher.close()]);
      await publisher.close();
      await assertRejects('QUEUE_CLOSED', publisher.publish([someCommand(ada, 2)]));
      await assertRejects('QUEUE_CLOSED', publisher.whenWritable());
      await assertRejects('QUEUE_CLOSED', publisher.settle());
      const last = await publisherOf(queue, 'one');
      assertDelivered(await consumeAll(queue), await under);
      await queue.close();
      await assertRejects('QUEUE_CLOSED', last.publish([someCommand(ada, 3)]));
      await assertRejects('QUEUE_CLOSED', publisherOf(queue, 'one'));
    },
  },
  {
    name: 'a full queue pushes back on a publisher with a name as well',
    needs: [needs, 'knowsConsumed'],
    settings: { maximumUnconsumedBytes: 20_000 },
    async check({ queue }) {
      await using publisher = await publisherOf(queue, 'one');
      const data = Buffer.alloc(12_000, 'x');
      await publisher.publish([commandWithData(ada, 1, data)]);
      await assertRejects('QUEUE_FULL', publisher.publish([commandWithData(ada, 2, data)]));
      const writable = publisher.whenWritable();
      await using consumer = await queue.consume(startingAt());
      await consumer.acknowledge(positionsAfter(await takeCount(consumer, 1)));
      await writable;
      await publisher.publish([commandWithData(ada, 2, data)]);
    },
  },
  {
    name: 'what holds nothing for anybody is delivered as passed, so that positions reach the end without a hole',
    needs,
    async check({ queue }) {
      await using publisher = await publisherOf(queue, 'one');
      for (let round = 1; round <= 3; round += 1) await publisher.publish(someCommands(someSessions, round, round));
      const whole = await consumeWhole(queue);
      assertDelivered(whole, someCommands(someSessions, 1, 3));
      assertDense(whole.map(({ position }) => position));
      for (const [partition, { end }] of await queue.bounds()) {
        const last = whole.findLast(({ position }) => position.partition === partition);
        assert.equal((last?.position.offset ?? -1) + 1, end);
      }
      // Every position is one to go on from, that of a passed stretch as well.
      for (const count of [1, 17, whole.length - 1, whole.length]) {
        const taken = whole.slice(0, count);
        const rest = await consumeWhole(queue, positionsAfter(taken));
        const places = rest.map(({ position }) => `${position.partition}/${position.offset}`);
        const expected = whole.slice(count).map(({ position }) => `${position.partition}/${position.offset}`);
        assert.deepEqual(places.sort(), expected.sort());
      }
    },
  },
];

function publisherOf(queue: Queue, name: string, signal?: AbortSignal): Promise<FencedPublisher> {
  if (queue.fencedPublisher === undefined) assert.fail('a queue that fences writers has fenced publishers');
  return queue.fencedPublisher(name, signal);
}

/** The queue as somebody else has it open, where that can be. */
async function another({ queue, another }: QueueUnderTest): Promise<Queue> {
  return another === undefined ? queue : await another();
}

type Outcome = 'durable' | 'never' | 'open';
const openCodes: ReadonlySet<string> = new Set(['QUEUE_UNAVAILABLE', 'QUEUE_CLOSED', 'QUEUE_IO_FAILED']);

/** Publishes as fast as it can until it is shut out; notes what became of each command, as its publisher said. */
async function publishUntilShutOut(
  publisher: FencedPublisher,
  session: SessionId,
  data: string,
  outcomes: Map<string, Outcome>,
): Promise<void> {
  for (let sequence = 1; ; sequence += 1) {
    const command = someCommand(session, sequence, data);
    // A queue in memory answers before anybody else has a turn.
    if (sequence % 10 === 0) await turn();
    try {
      await publisher.publish([command]);
      outcomes.set(toldCommand(command), 'durable');
    } catch (error) {
      assert.ok(isPersistenceError(error));
      outcomes.set(toldCommand(command), openCodes.has(error.code) ? 'open' : 'never');
      if (error.code === 'WRITER_FENCED') return;
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
