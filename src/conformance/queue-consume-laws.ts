import assert from 'node:assert/strict';
import { parseSessionId } from '../domain/identifiers.ts';
import type { QueuedDelivery } from '../ports/queue.ts';
import type { QueueLawDefinition } from './queue-law.ts';
import {
  anyLimits,
  assertDelivered,
  assertRejects,
  commandWithData,
  consumeAll,
  heard,
  partitionByPartition,
  positionsAfter,
  someCommand,
  someCommands,
  someSessions,
  startingAt,
  takeCount,
  takeTo,
  told,
} from './queue-samples.ts';

const ada = parseSessionId('ada');

export const consumeLaws: readonly QueueLawDefinition[] = [
  {
    name: 'partitions are assigned before anything of them is delivered, and their offsets come in order',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 3));
      const assigned = new Set<number>();
      await using consumer = await queue.consume({
        async assigned(partitions) {
          for (const partition of partitions) assigned.add(partition);
          return new Map();
        },
        revoked: async () => undefined,
      });
      const next = new Map<number, number>();
      const ends = new Map([...(await queue.bounds())].map(([partition, { end }]) => [partition, end]));
      for (const { position } of await takeTo(consumer, ends, new Map())) {
        assert.ok(assigned.has(position.partition));
        assert.equal(position.offset, next.get(position.partition) ?? 0);
        next.set(position.partition, position.offset + 1);
      }
    },
  },
  {
    name: 'take keeps to its limits, but always delivers at least one',
    async check({ queue }) {
      const commands = Array.from({ length: 30 }, (_, index) =>
        commandWithData(ada, index + 1, Buffer.alloc(500, 'x')),
      );
      await queue.publish(commands);
      await using consumer = await queue.consume(startingAt());
      assert.equal((await consumer.take({ deliveries: 4, bytes: 1e6 })).length, 4);
      const few = await consumer.take({ deliveries: 100, bytes: 2_500 });
      assert.ok(few.length >= 1 && few.reduce((sum, { bytes }) => sum + bytes, 0) <= 2_500);
      assert.equal((await consumer.take({ deliveries: 100, bytes: 1 })).length, 1);
      const rest = await takeCount(consumer, 30 - 4 - few.length - 1);
      assertDelivered(rest, commands.slice(30 - rest.length));
    },
  },
  {
    name: 'take waits for the next publish, and delivers it',
    async check({ queue }) {
      await using consumer = await queue.consume(startingAt());
      assert.deepEqual(await consumer.takeNow(anyLimits), []);
      const taken = consumer.take(anyLimits);
      await queue.publish([someCommand(ada, 1)]);
      assertDelivered(await taken, [someCommand(ada, 1)]);
      await queue.publish([someCommand(ada, 2)]);
      assertDelivered(await takeCount(consumer, 1), [someCommand(ada, 2)]);
      assert.deepEqual(heard(await consumer.takeNow(anyLimits)), []);
    },
  },
  {
    name: 'take resolves empty when it is given up, and loses nothing by that',
    async check({ queue }) {
      await using consumer = await queue.consume(startingAt());
      assert.deepEqual(await consumer.take(anyLimits, AbortSignal.abort()), []);
      const giveUp = new AbortController();
      const taken = consumer.take(anyLimits, giveUp.signal);
      giveUp.abort();
      assert.deepEqual(await taken, []);
      await queue.publish([someCommand(ada, 1)]);
      assertDelivered(await takeCount(consumer, 1), [someCommand(ada, 1)]);
    },
  },
  {
    name: 'consuming can be given up before it has begun, and be begun again',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 1));
      await assertRejects('ABORTED', queue.consume(startingAt(), AbortSignal.abort()));
      const giveUp = new AbortController();
      const given = queue.consume(
        {
          async assigned() {
            giveUp.abort();
            return new Map();
          },
          revoked: async () => undefined,
        },
        giveUp.signal,
      );
      await assertRejects('ABORTED', given);
      assertDelivered(await consumeAll(queue), someCommands(someSessions, 1, 1));
    },
  },
  {
    name: 'closing a consumer ends its take with nothing; what it did not acknowledge is delivered to the next one',
    async check({ queue }) {
      const consumer = await queue.consume(startingAt());
      const taken = consumer.take(anyLimits);
      await consumer.close();
      assert.deepEqual(await taken, []);
      await consumer.close();
      assert.deepEqual(await consumer.take(anyLimits), []);
      await assertRejects('QUEUE_CLOSED', consumer.acknowledge(new Map()));
      await queue.publish(someCommands(someSessions, 1, 2));
      const first = partitionByPartition(await consumeAll(queue));
      assert.deepEqual(partitionByPartition(await consumeAll(queue)).map(told), first.map(told));
    },
  },
  {
    name: 'closing the queue lets its consumer finish or abandon what it holds, first',
    async check({ queue }) {
      await queue.publish(someCommands(someSessions, 1, 1));
      const held: QueuedDelivery[] = [];
      let revoked: readonly number[] = [];
      const consumer = await queue.consume({
        assigned: async () => new Map(),
        async revoked(partitions) {
          await consumer.acknowledge(positionsAfter(held));
          revoked = partitions;
        },
      });
      held.push(...(await takeCount(consumer, someSessions.length)));
      await queue.close();
      assert.equal(new Set(revoked).size, queue.partitions);
      assert.deepEqual(await consumer.take(anyLimits), []);
    },
  },
  {
    name: 'the message of a delivery says what the delivery says',
    async check({ queue }) {
      const command = { ...someCommand(ada, 1), time: '2026-01-02T03:04:05Z', traceparent: '00-ab-cd-01' };
      await queue.publish([command]);
      const [delivery] = await consumeAll(queue);
      const message = delivery?.message();
      assert.deepEqual(Buffer.from(message?.value ?? []), Buffer.from(command.data));
      const headers = new Map(message?.headers.map(([name, value]) => [name, Buffer.from(value).toString('utf8')]));
      assert.equal(headers.get('ce_subject'), 'ada');
      assert.equal(headers.get('ce_id'), command.id);
      assert.equal(headers.get('ce_time'), command.time);
      assert.equal(headers.get('ce_traceparent') ?? headers.get('traceparent'), command.traceparent);
    },
  },
];
