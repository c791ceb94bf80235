import { someCommand, someSessions, told, toldCommand } from '../../../src/conformance/queue-samples.ts';
import type { NumberedCommand } from '../../../src/domain/command.ts';
import type { Position } from '../../../src/domain/delivery.ts';
import { isPersistenceError } from '../../../src/domain/errors.ts';
import type { StoredPosition } from '../../../src/domain/plan.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Consumer, Queue, QueuedDelivery } from '../../../src/ports/queue.ts';
import { openEmbeddedQueue } from '../../../src/queues/embedded/open-embedded-queue.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedLedger } from './simulated-ledger.ts';

/** One publish and what its caller was told. */
export interface Attempt {
  readonly commands: readonly NumberedCommand[];
  outcome: 'unknown' | 'refused' | readonly Position[];
}

/** What survives the process under test: what callers were told, and a store that never loses anything. */
export class World {
  readonly attempts: Attempt[] = [];
  /** By `partition/offset`, what was delivered there. */
  readonly delivered = new Map<string, string>();
  readonly positions = new Map<number, StoredPosition>();
  readonly sequences = new Map<string, number>();

  store(deliveries: readonly QueuedDelivery[]): void {
    for (const delivery of deliveries) {
      const { partition, offset } = delivery.position;
      this.delivered.set(`${partition}/${offset}`, told(delivery));
      this.positions.set(partition, { next: offset + 1, digest: delivery.recordDigest() });
    }
  }

  next(session: (typeof someSessions)[number], size: number): NumberedCommand {
    const sequence = (this.sequences.get(session) ?? 0) + 1;
    this.sequences.set(session, sequence);
    return someCommand(session, sequence, `${session} ${sequence} `.padEnd(size, 'x'));
  }
}

let time = 1_000_000;
const clock: Clock = {
  now: () => (time += 1),
  elapsed: () => time,
  sleep: () => Promise.reject(new TypeError('nothing here sleeps')),
};

/** Two partitions, segments of a few records, and nothing kept that was consumed. */
export function openSimulated(disk: SimulatedDisk, ledger: SimulatedLedger): ReturnType<typeof openEmbeddedQueue> {
  return openEmbeddedQueue({
    directory: '/data/queue',
    partitions: 2,
    fileSystem: disk,
    clock,
    openLedger: ledger.open,
    newId: () => '12345678-1234-4321-8765-123456789abc',
    segmentBytes: 1_200,
    chunkBytes: 300,
    groupBytes: 900,
    retention: { ageMs: 0, bytes: 0 },
  });
}

/** Consumes from where the store stands; with `acknowledge`, retention follows. */
export function consumeInto(world: World, queue: Queue): Promise<Consumer> {
  return queue.consume({
    assigned: async (partitions) => new Map(partitions.map((partition) => [partition, world.positions.get(partition)])),
    revoked: async () => undefined,
  });
}

/** Publishes, consumes and acknowledges for a few rounds, as far as the disk lets it. */
export async function runProgram(disk: SimulatedDisk, ledger: SimulatedLedger, world: World): Promise<void> {
  let queue: Queue | undefined;
  try {
    queue = await openSimulated(disk, ledger);
    const consumer = await consumeInto(world, queue);
    for (let round = 0; round < 8; round += 1) {
      await Promise.all([0, 1, 2].map((caller) => publish(world, queue, round * 3 + caller)));
      if (round % 3 === 1) continue;
      const deliveries = await consumer.takeNow({ deliveries: 7, bytes: 1e6 });
      world.store(deliveries);
      await consumer.acknowledge(new Map(world.positions));
    }
  } catch (error) {
    if (!isPersistenceError(error)) throw error;
  } finally {
    await queue?.close();
  }
}

async function publish(world: World, queue: Queue | undefined, number: number): Promise<void> {
  const commands = Array.from({ length: 1 + (number % 3) }, (_, index) =>
    world.next(someSessions[(number + index) % 5] ?? someSessionsFirst(), 20 + ((number * 53) % 150)),
  );
  const attempt: Attempt = { commands, outcome: 'unknown' };
  world.attempts.push(attempt);
  try {
    attempt.outcome = (await queue?.publish(commands)) ?? 'unknown';
  } catch (error) {
    if (!isPersistenceError(error)) throw error;
    if (error.code !== 'QUEUE_IO_FAILED') attempt.outcome = 'refused';
  }
}

function someSessionsFirst(): (typeof someSessions)[number] {
  throw new TypeError('there are at least five sessions');
}

export { toldCommand };
