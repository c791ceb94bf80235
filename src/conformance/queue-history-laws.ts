import assert from 'node:assert/strict';
import { bytesDigest } from '../domain/digest.ts';
import { parseSessionId } from '../domain/identifiers.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { Queue, QueuedDelivery, ReplayOptions } from '../ports/queue.ts';
import type { QueueLawDefinition } from './queue-law.ts';
import {
  anyLimits,
  assertDelivered,
  assertRejects,
  consumeAll,
  heard,
  partitionByPartition,
  positionsAfter,
  someCommand,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
  told,
} from './queue-samples.ts';

const ada = parseSessionId('ada');

export const historyLaws: readonly QueueLawDefinition[] = [
  {
    name: 'what was published is there, in order, after closing and opening, with the same positions and digests',
    needs: 'durable',
    async check(subject) {
      const before: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        await subject.queue.publish(someCommands(someSessions, round * 2 + 1, round * 2 + 2));
        before.splice(0, before.length, ...byPartition(await consumeAll(subject.queue)));
        const { source } = subject.queue;
        await subject.reopen();
        assert.equal(subject.queue.source, source);
        const deliveries = await consumeAll(subject.queue);
        assert.deepEqual(byPartition(deliveries), before);
        assertDelivered(deliveries, someCommands(someSessions, 1, round * 2 + 2));
      }
    },
  },
  {
    name: 'a consumer goes on after its stored positions, also after closing and opening',
    needs: 'durable',
    async check(subject) {
      await subject.queue.publish(someCommands(someSessions, 1, 4));
      const first = await subject.queue.consume(startingAt());
      const taken = await takeCount(first, 70, { deliveries: 10, bytes: 1e6 });
      const positions = positionsAfter(taken);
      await first.acknowledge(positions);
      await subject.reopen();
      const rest = await consumeAll(subject.queue, positions);
      assertDelivered([...taken, ...rest], someCommands(someSessions, 1, 4));
    },
  },
  {
    name: 'a consumer goes on after its stored positions',
    needs: 'positions',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 4));
      const all = await consumeAll(queue);
      for (const count of [1, 39, 97, all.length]) {
        const rest = await consumeAll(queue, positionsAfter(all.slice(0, count)));
        assert.deepEqual(rest.map(told).sort(), all.slice(count).map(told).sort());
      }
      await queue.publish([someCommand(ada, 1)]);
      assertDelivered(await consumeAll(queue, positionsAfter(all)), [someCommand(ada, 1)]);
    },
  },
  {
    name: 'a stored position with another digest, or beyond the end, is SOURCE_LOST_HISTORY',
    needs: 'positions',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 4));
      const all = await consumeAll(queue);
      const bounds = await queue.bounds();
      const { partition } = all[0]?.position ?? assert.fail('something was delivered');
      const ofPartition = all.filter(({ position }) => position.partition === partition);
      for (const delivery of [ofPartition[0], ofPartition[2], ofPartition.at(-1)]) {
        if (delivery === undefined) continue;
        const held: StoredPosition = { next: delivery.position.offset + 1, digest: delivery.recordDigest() };
        const other: StoredPosition = { next: held.next, digest: bytesDigest(Buffer.from('other')) };
        const beyond: StoredPosition = { next: (bounds.get(partition)?.end ?? 0) + 1, digest: held.digest };
        await assertRejects('SOURCE_LOST_HISTORY', queue.consume(startingAt(new Map([[partition, other]]))));
        await assertRejects('SOURCE_LOST_HISTORY', queue.consume(startingAt(new Map([[partition, beyond]]))));
        await (await queue.consume(startingAt(new Map([[partition, held]])))).close();
      }
    },
  },
  {
    name: 'retained commands replay from any position to the end, in bounded batches, consumed or not',
    needs: 'replayable',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 6));
      await using consumer = await queue.consume(startingAt());
      const all = await takeCount(consumer, someSessions.length * 6);
      await consumer.acknowledge(positionsAfter(all.slice(0, 50)));
      assert.deepEqual(byPartition(await replayed(queue, {})), byPartition(all));
      for (let offset = 0; offset <= 12; offset += 3) {
        const from = new Map(
          [...(await queue.bounds())].map(([partition, { end }]) => [partition, { next: Math.min(offset, end) }]),
        );
        const expected = all.filter(({ position }) => position.offset >= offset);
        assert.deepEqual(byPartition(await replayed(queue, { from })), byPartition(expected));
      }
      const beyond = new Map([[0, { next: 1e6 }]]);
      await assertRejects('SOURCE_LOST_HISTORY', replayed(queue, { from: beyond }));
      await assertRejects('ABORTED', replayed(queue, { signal: AbortSignal.abort() }));
    },
  },
  {
    name: 'a replay that starts behind a record of another digest is SOURCE_LOST_HISTORY',
    needs: 'replayable',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 4));
      const all = await replayed(queue, {});
      const half = positionsAfter(all.slice(0, 77));
      const rest = all.filter(({ position }) => position.offset >= (half.get(position.partition)?.next ?? 0));
      assert.deepEqual(byPartition(await replayed(queue, { from: half })), byPartition(rest));
      const digest = bytesDigest(Buffer.from('other'));
      const others = new Map([...half].map(([partition, { next }]) => [partition, { next, digest }]));
      await assertRejects('SOURCE_LOST_HISTORY', replayed(queue, { from: others }));
    },
  },
  {
    name: 'a replay ends before the given offsets, and before what came at or after the given time',
    needs: 'replayable',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 4));
      const all = await replayed(queue, {});
      const ends = new Map([...(await queue.bounds()).keys()].map((partition) => [partition, partition % 5]));
      const within = all.filter(({ position }) => position.offset < position.partition % 5);
      assert.deepEqual(byPartition(await replayed(queue, { ends })), byPartition(within));
      assert.deepEqual(await replayed(queue, { before: 0 }), []);
      assert.deepEqual(byPartition(await replayed(queue, { before: 8.64e15 })), byPartition(all));
    },
  },
  {
    name: 'a replay ends where the queue ended when it began, while publishing goes on',
    needs: 'replayable',
    async check({ queue }) {
      const commands = someCommands(someSessions, 1, 3);
      await queue.publish(commands);
      const replay = queue.replay({ limits: { deliveries: 9, bytes: 1e6 } });
      await queue.publish(someCommands(someSessions, 4, 4));
      const deliveries: QueuedDelivery[] = [];
      let sequence = 5;
      for await (const batch of replay) {
        deliveries.push(...batch);
        await queue.publish(someCommands(someSessions.slice(0, 4), sequence, sequence));
        sequence += 1;
      }
      assertDelivered(deliveries, commands);
    },
  },
  {
    name: 'retention removes what was consumed, and never what was not',
    needs: ['replayable', 'knowsConsumed'],
    settings: { retainsNothing: true },
    async check({ queue }) {
      const published = someCommands(someSessions, 1, 20);
      await using consumer = await queue.consume(startingAt());
      const consumed: QueuedDelivery[] = [];
      for (let from = 0; from < published.length; from += 100) {
        await queue.publish(published.slice(from, from + 100));
        // Always the half of what is there, so that something unconsumed stands behind what may go.
        const taken = await takeCount(consumer, 50, { deliveries: 50, bytes: 1e6 });
        consumed.push(...taken);
        await consumer.acknowledge(positionsAfter(taken));
        const next = positionsAfter(consumed);
        for (const [partition, { start }] of await queue.bounds()) {
          assert.ok(start <= (next.get(partition)?.next ?? 0), `partition ${partition} starts at ${start}`);
        }
      }
      const rest = await takeCount(consumer, published.length - consumed.length);
      assertDelivered([...consumed, ...rest], published);
      const bounds = await queue.bounds();
      assert.ok(
        [...bounds.values()].some(({ start }) => start > 0),
        'nothing was removed',
      );
      const held = [...bounds.values()].reduce((sum, { start, end }) => sum + end - start, 0);
      assert.equal((await replayed(queue, {})).length, held);
      await assertRejects(
        'SOURCE_LOST_HISTORY',
        replayed(queue, { from: new Map([...bounds.keys()].map((key) => [key, { next: 0 }])) }),
      );
    },
  },
  {
    name: 'what retention removed is SOURCE_LOST_HISTORY, and the edge of what it left is held',
    needs: ['durable', 'knowsConsumed'],
    settings: { retainsNothing: true },
    async check(subject) {
      for (let sequence = 1; sequence <= 12; sequence += 1) {
        await subject.queue.publish(someCommands(someSessions, sequence, sequence));
      }
      const all = await consumeAll(subject.queue);
      const consumer = await subject.queue.consume(startingAt());
      await takeCount(consumer, all.length);
      await consumer.acknowledge(positionsAfter(all));
      await subject.reopen();
      let removed = 0;
      for (const [partition, { start }] of await subject.queue.bounds()) {
        for (const delivery of all.filter(({ position }) => position.partition === partition)) {
          const stored = new Map([
            [partition, { next: delivery.position.offset + 1, digest: delivery.recordDigest() }],
          ]);
          if (delivery.position.offset + 1 < start) {
            removed += 1;
            await assertRejects('SOURCE_LOST_HISTORY', subject.queue.consume(startingAt(stored)));
          } else {
            await (await subject.queue.consume(startingAt(stored))).close();
          }
        }
      }
      assert.ok(removed > 0, 'nothing was removed');
    },
  },
];

function identified(delivery: QueuedDelivery): string {
  const { partition, offset } = delivery.position;
  return `${partition}/${offset} ${told(delivery)} ${delivery.recordDigest()}`;
}

/** What was delivered, the deliveries of each partition in their order. */
function byPartition(deliveries: readonly QueuedDelivery[]): readonly string[] {
  return partitionByPartition(deliveries).map(identified);
}

async function replayed(queue: Queue, options: Partial<ReplayOptions>): Promise<QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  const limits = { deliveries: 11, bytes: anyLimits.bytes };
  for await (const batch of queue.replay({ limits, ...options })) {
    assert.ok(batch.length > 0 && batch.length <= limits.deliveries);
    deliveries.push(...heard(batch));
  }
  return deliveries;
}
