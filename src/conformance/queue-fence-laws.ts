import assert from 'node:assert/strict';
import { parseSessionId } from '../domain/identifiers.ts';
import type { Queue } from '../ports/queue.ts';
import type { QueueLawDefinition, QueueUnderTest } from './queue-law.ts';
import {
  assertDelivered,
  assertDense,
  assertRejects,
  consumeAll,
  consumeWhole,
  positionsAfter,
  someCommand,
  someCommands,
  someSessions,
} from './queue-samples.ts';

const ada = parseSessionId('ada');

export const fenceLaws: readonly QueueLawDefinition[] = [
  {
    name: 'a successor shuts the older publisher out with its first publish, for good',
    needs: 'fencesWriters',
    async check(subject) {
      const { queue } = subject;
      await queue.publish([someCommand(ada, 1)]);
      await using successor = await succeed(subject);
      await successor.publish([someCommand(ada, 3)]);
      await assertRejects('WRITER_FENCED', queue.publish([someCommand(ada, 2)]));
      await assertRejects('WRITER_FENCED', queue.publish([someCommand(ada, 4)]));
      await successor.publish([someCommand(ada, 5)]);
      for (const reader of [queue, successor]) {
        assertDelivered(await consumeAll(reader), [someCommand(ada, 1), someCommand(ada, 3), someCommand(ada, 5)]);
      }
    },
  },
  {
    name: 'what was acknowledged when a successor came is there, in order, before what the successor publishes',
    needs: 'fencesWriters',
    async check(subject) {
      const published: Promise<unknown>[] = [];
      const outcomes = new Map<number, boolean>();
      for (let sequence = 1; sequence <= 50; sequence += 1) {
        const outcome = subject.queue.publish([someCommand(ada, sequence)]).then(
          () => outcomes.set(sequence, true),
          () => outcomes.set(sequence, false),
        );
        published.push(outcome);
        if (sequence % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await using successor = await succeed(subject);
      await Promise.all(published);
      await successor.publish([someCommand(ada, 51)]);
      const acknowledged = [...outcomes].filter(([, isAcknowledged]) => isAcknowledged).map(([sequence]) => sequence);
      const deliveries = await consumeAll(successor);
      const delivered = deliveries.map(({ content }) => (content.kind === 'numbered' ? content.sequence : 0));
      assert.deepEqual(
        delivered,
        [...delivered].sort((one, other) => one - other),
      );
      assert.ok(acknowledged.every((sequence) => delivered.some((found) => found === sequence)));
      assert.equal(delivered.at(-1), 51);
    },
  },
  {
    name: 'what holds nothing for anybody is delivered as passed, so that positions reach the end without a hole',
    needs: 'fencesWriters',
    async check({ queue }) {
      for (let round = 1; round <= 3; round += 1) await queue.publish(someCommands(someSessions, round, round));
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

function succeed({ successor }: QueueUnderTest): Promise<Queue> {
  if (successor === undefined) assert.fail('a queue that fences writers can be opened as a successor would');
  return successor();
}
