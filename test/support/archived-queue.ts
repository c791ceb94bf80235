import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { anyLimits, positionsAfter, startingAt, takeCount } from '../../src/conformance/queue-samples.ts';
import type { QueuedDelivery, ReplaySource } from '../../src/ports/queue.ts';
import type { BullmqQueue } from '../../src/queues/bullmq/bullmq-queue.ts';
import type { BullmqQueueOptions } from '../../src/queues/bullmq/open-bullmq-queue.ts';
import type { RedisAddress } from '../../src/redis/options.ts';
import { openBullmqAt, smallArchive } from './bullmq.ts';
import { freshDirectory } from './program.ts';
import { uniquePrefix } from './redis.ts';

/** A queue that nobody has opened yet, and a directory for its archive, which goes in the end. */
export class ArchivedQueue implements Disposable {
  readonly prefix = uniquePrefix();
  readonly directory = freshDirectory();
  readonly #address: RedisAddress;

  constructor(address: RedisAddress) {
    this.#address = address;
  }

  open(options: Partial<BullmqQueueOptions> = {}): Promise<BullmqQueue> {
    return openBullmqAt(this.#address, this.prefix, { archive: smallArchive(this.directory), ...options });
  }

  /** The folder of the queue that has one alone, or what lies in there. */
  folder(...names: readonly string[]): string {
    const [queue = ''] = readdirSync(this.directory);
    return join(this.directory, queue, ...names);
  }

  /** The names of the files that name archives in there. */
  notes(): readonly string[] {
    return readdirSync(this.folder()).filter((name) => name.endsWith('.archive'));
  }

  /** The id of the archive in there. */
  get id(): string {
    return this.notes()[0]?.split('.')[1] ?? '';
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** Consumes all that waits, and says that it is stored. */
export async function storeAll(queue: BullmqQueue): Promise<readonly QueuedDelivery[]> {
  const bounds = [...(await queue.bounds()).values()];
  await using consumer = await queue.consume(startingAt());
  const deliveries = await takeCount(
    consumer,
    bounds.reduce((sum, { start, end }) => sum + end - start, 0),
  );
  await consumer.acknowledge(positionsAfter(deliveries));
  return deliveries;
}

export async function replayed(source: ReplaySource): Promise<readonly QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of source.replay({ limits: anyLimits })) deliveries.push(...batch);
  return deliveries;
}
