import assert from 'node:assert/strict';
import { isPersistenceError } from '../domain/errors.ts';
import { parseSessionId, type SessionId } from '../domain/identifiers.ts';
import type { QueueLawDefinition } from './queue-law.ts';
import {
  anyLimits,
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
import { hostileIds } from './store-samples.ts';

const ada = parseSessionId('ada');

export const publishLaws: readonly QueueLawDefinition[] = [
  {
    name: 'positions are dense within a partition, a session keeps to one, and the deliveries stand where publish said',
    async check({ queue }) {
      const commands = someCommands(someSessions, 1, 5);
      const positions = await queue.publish(commands);
      assert.equal(positions.length, commands.length);
      assertDense(positions);
      const partitions = new Map<SessionId, number>();
      commands.forEach(({ session }, index) => {
        const partition = positions[index]?.partition ?? -1;
        assert.equal(partitions.get(session) ?? partition, partition);
        partitions.set(session, partition);
      });
      const deliveries = await consumeAll(queue);
      const found = new Map(deliveries.map((delivery) => [told(delivery), delivery.position]));
      commands.forEach((command, index) => {
        assert.deepEqual(found.get(toldCommand(command)), positions[index]);
      });
    },
  },
  {
    name: 'concurrent publishes keep the order of each caller',
    async check({ queue }) {
      const callers = someSessions.map(async (session) => {
        for (let sequence = 1; sequence <= 25; sequence += 1) await queue.publish([someCommand(session, sequence)]);
      });
      await Promise.all(callers);
      assertDelivered(await consumeAll(queue), someCommands(someSessions, 1, 25));
    },
  },
  {
    name: 'publishes that nobody waits for in between stay in the order of the calls',
    async check({ queue }) {
      const commands = someCommands(someSessions.slice(0, 3), 1, 200);
      const positions = await Promise.all(commands.map((command) => queue.publish([command])));
      assertDense(positions.flat());
      assertDelivered(await consumeAll(queue), commands);
    },
  },
  {
    name: 'publishing nothing is done at once',
    async check({ queue }) {
      assert.deepEqual(await queue.publish([]), []);
    },
  },
  {
    name: 'a command that a worker would refuse is refused, and nothing of its publish appears',
    async check({ queue }) {
      const broken = { ...someCommand(ada, 2), session: '../x' as SessionId };
      await assertRejects('INVALID_SESSION_ID', queue.publish([someCommand(ada, 1), broken]));
      const misnamed = { ...someCommand(ada, 2), id: 'x' };
      await assertRejects('INVALID_ATTRIBUTE', queue.publish([misnamed]));
      await queue.publish([someCommand(ada, 9)]);
      assertDelivered(await consumeAll(queue), [someCommand(ada, 9)]);
    },
  },
  {
    name: 'a publish that is given up before it starts publishes nothing',
    async check({ queue }) {
      await assertRejects('ABORTED', queue.publish([someCommand(ada, 1)], AbortSignal.abort()));
      await queue.publish([someCommand(ada, 2)]);
      assertDelivered(await consumeAll(queue), [someCommand(ada, 2)]);
    },
  },
  {
    name: 'a publish given up while it waits is either in the queue whole, or refused and not there',
    async check({ queue }) {
      const publishes = Array.from({ length: 60 }, (_, index) => {
        const giveUp = new AbortController();
        const commands = [someCommand(ada, index * 2 + 1), someCommand(ada, index * 2 + 2)];
        const outcome = queue.publish(commands, giveUp.signal).then(
          () => commands,
          (error: unknown) => {
            assert.ok(isPersistenceError(error, 'ABORTED'));
            return [];
          },
        );
        if (index % 3 === 1) giveUp.abort();
        return outcome;
      });
      const published = (await Promise.all(publishes)).flat();
      const deliveries = await consumeWhole(queue);
      assertDelivered(deliveries, published);
      assertDense(deliveries.map(({ position }) => position));
    },
  },
  {
    name: 'a full queue pushes back, holds nothing of what it refused, and takes more once something was consumed',
    needs: 'knowsConsumed',
    settings: { maximumUnconsumedBytes: 20_000 },
    async check({ queue }) {
      const data = Buffer.alloc(1_000, 'x');
      const accepted = [];
      for (let sequence = 1; sequence <= 100; sequence += 1) {
        const command = commandWithData(ada, sequence, data);
        try {
          await queue.publish([command]);
          accepted.push(command);
        } catch (error) {
          assert.ok(isPersistenceError(error, 'QUEUE_FULL') && error.retryable);
        }
      }
      assert.ok(
        accepted.length > 5 && accepted.length <= 20,
        `${accepted.length} publishes of 1,000 bytes were accepted`,
      );
      await assertRejects('ABORTED', queue.whenWritable(AbortSignal.timeout(5)));
      let isWritable = false;
      const writable = queue.whenWritable().then(() => {
        isWritable = true;
      });
      await using consumer = await queue.consume(startingAt());
      const deliveries = await takeCount(consumer, accepted.length);
      assertDelivered(deliveries, accepted);
      assert.equal(isWritable, false);
      await consumer.acknowledge(positionsAfter(deliveries));
      await writable;
      const next = commandWithData(ada, 101, data);
      await queue.publish([next]);
      assertDelivered(await takeCount(consumer, 1), [next]);
    },
  },
  {
    name: 'hostile session ids come back as they were',
    async check({ queue }) {
      const commands = hostileIds.map((session) => someCommand(session, 1));
      await queue.publish(commands);
      assertDelivered(await consumeAll(queue), commands);
    },
  },
  {
    name: 'data of 16 MiB comes back, and one byte more is refused',
    async check({ queue }) {
      const data = Buffer.alloc(16 * 1024 * 1024, 'macp');
      const commands = [commandWithData(ada, 1, data), someCommand(ada, 2), commandWithData(ada, 3, new Uint8Array(0))];
      await queue.publish(commands);
      await assertRejects('DATA_TOO_LARGE', queue.publish([commandWithData(ada, 4, Buffer.alloc(data.length + 1))]));
      const deliveries = await consumeAll(queue);
      assertDelivered(deliveries, commands);
      assert.ok(deliveries.every(({ bytes }) => bytes > 0) && (deliveries[0]?.bytes ?? 0) >= data.length);
    },
  },
  {
    name: 'closing settles what is under way, may be done twice, and refuses what comes after',
    async check({ queue }) {
      const under = queue.publish([someCommand(ada, 1)]).then(
        () => 'published',
        (error: unknown) => (isPersistenceError(error, 'QUEUE_CLOSED') ? 'refused' : Promise.reject(error)),
      );
      const waiting = assertRejects('QUEUE_CLOSED', waitUntilClosed(queue.whenWritable.bind(queue)));
      const closing = queue.close();
      await Promise.all([closing, queue.close(), under]);
      await queue.close();
      await assertRejects('QUEUE_CLOSED', queue.publish([someCommand(ada, 2)]));
      await assertRejects('QUEUE_CLOSED', queue.whenWritable());
      await assertRejects('QUEUE_CLOSED', queue.bounds());
      await assertRejects('QUEUE_CLOSED', queue.consume(startingAt()));
      await assertRejects(
        'QUEUE_CLOSED',
        replayAll(() => queue.replay({ limits: anyLimits })),
      );
      await waiting;
    },
  },
];

/** Asks again and again, as a publisher with a full queue would, until the queue says that it was closed. */
async function waitUntilClosed(whenWritable: () => Promise<void>): Promise<void> {
  for (;;) {
    await whenWritable();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function replayAll(replay: () => AsyncIterable<unknown>): Promise<void> {
  for await (const batch of replay()) assert.fail(`a batch ${String(batch)} from a closed queue`);
}
