import { EventEmitter } from 'node:events';
import type { StoredPosition } from '../../src/domain/plan.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { AssignmentHandler, FilledStore, QueuedDelivery, QueueEvents } from '../../src/ports/queue.ts';
import { type KafkaCluster, openCluster } from '../../src/queues/kafka/connection/cluster.ts';
import { createKafka } from '../../src/queues/kafka/connection/create-kafka.ts';
import type { KafkaConsumerOptions } from '../../src/queues/kafka/consumer/consumer-options.ts';
import type { KafkaConsumer } from '../../src/queues/kafka/consumer/kafka-consumer.ts';
import { openKafkaConsumer } from '../../src/queues/kafka/consumer/open-kafka-consumer.ts';
import type { KafkaTopic } from '../../src/queues/kafka/consumer/topic-brokers.ts';
import { prepareCodecs } from '../../src/queues/kafka/protocol/compression/expand.ts';
import { metadataRequest } from '../../src/queues/kafka/protocol/metadata.ts';
import { createTopic, uniqueName } from './kafka.ts';

/** Positions that several members store and start from, as workers do with a store they share. */
export type SharedPositions = Map<number, StoredPosition>;

/** A topic of the test's own, and how its brokers are reached. */
export interface ConsumedTopic {
  readonly address: string;
  readonly topic: KafkaTopic;
  readonly openCluster: () => KafkaCluster;
}

/** Creates a topic, on as many brokers, and looks up its id. */
export async function consumedTopic(
  address: string,
  partitions: number,
  settings: Readonly<Record<string, string>> = {},
  replicas = 1,
): Promise<ConsumedTopic> {
  await prepareCodecs();
  const name = await createTopic(address, { numPartitions: partitions, replicationFactor: replicas, settings });
  const connection = { brokers: address.split(','), clientId: 'test', connectionTimeout: 5_000, requestTimeout: 5_000 };
  const kafka = createKafka(connection, () => undefined);
  const cluster = openCluster(kafka);
  try {
    await cluster.connect();
    await cluster.addTargetTopic(name);
    const [found] = await cluster.send(await cluster.anyBroker(), metadataRequest([name]));
    if (found === undefined) throw new Error(`no topic ${name}`);
    return { address, topic: { name, id: found.topicId, partitions }, openCluster: () => openCluster(kafka) };
  } finally {
    await cluster.close();
  }
}

export interface MemberSettings
  extends Partial<Omit<KafkaConsumerOptions, 'openCluster' | 'clock' | 'topic' | 'events'>> {
  readonly positions?: SharedPositions | undefined;
  readonly fills?: FilledStore | undefined;
  /** Runs within `revoked`, after what was taken is settled. */
  readonly onRevoked?: ((partitions: readonly number[]) => Promise<void>) | undefined;
}

/**
 * A member of a group that does what a pipeline does: takes, stores the positions of what it took, acknowledges, and
 * has settled everything of a partition when `revoked` resolves.
 */
export class TestMember implements AsyncDisposable {
  readonly events = new EventEmitter<QueueEvents>();
  /** Everything that happened, in order: `assigned 0,1`, `revoked 1`, `unavailable CODE`, `available`. */
  readonly happened: string[] = [];
  readonly taken: QueuedDelivery[] = [];
  readonly consumer: Promise<KafkaConsumer>;
  readonly #positions: SharedPositions;
  readonly #ending = new AbortController();
  #settled: Promise<void> = Promise.resolve();
  #work: Promise<void> | undefined;
  #changed: (() => void)[] = [];

  constructor({ topic, openCluster: open }: ConsumedTopic, settings: MemberSettings = {}) {
    const { positions = new Map(), fills, onRevoked, groupId = uniqueName('group'), ...rest } = settings;
    this.#positions = positions;
    const tell = (what: string): void => {
      this.happened.push(what);
      this.#tell();
    };
    this.events.on('assigned', (partitions) => tell(`assigned ${partitions}`));
    this.events.on('revoked', (partitions) => tell(`revoked ${partitions}`));
    this.events.on('unavailable', ({ code }) => tell(`unavailable ${code}`));
    this.events.on('available', () => tell('available'));
    const handler: AssignmentHandler = {
      fills,
      assigned: async (partitions) => new Map(partitions.map((partition) => [partition, positions.get(partition)])),
      revoked: async (partitions) => {
        await new Promise((resolve) => setImmediate(resolve));
        await this.#settled;
        await onRevoked?.(partitions);
      },
    };
    const options = { ...rest, groupId, topic, openCluster: open, clock: systemClock, events: this.events };
    this.consumer = openKafkaConsumer(options, handler);
    this.consumer.catch(() => undefined);
  }

  /** Takes until it is closed, or fails with what take rejects with. `pause`: milliseconds that each batch takes. */
  work(pause = 0): void {
    this.#work = this.#run(pause);
    this.#work.catch(() => this.#tell());
  }

  /** Resolves with what ended the work. */
  async failure(): Promise<unknown> {
    try {
      await this.#work;
    } catch (error) {
      return error;
    }
    throw new Error('the work ended without a failure');
  }

  /** Resolves once `condition` holds; it is asked whenever something was taken or happened. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  get partitions(): readonly number[] {
    const owned = new Set<number>();
    for (const event of this.happened) {
      const [what, list = ''] = event.split(' ');
      for (const partition of list.split(',').map(Number)) {
        if (what === 'assigned') owned.add(partition);
        if (what === 'revoked') owned.delete(partition);
      }
    }
    return [...owned].sort((one, other) => one - other);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#work?.catch(() => undefined);
    await (await this.consumer.catch(() => undefined))?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(pause: number): Promise<void> {
    const consumer = await this.consumer;
    while (!this.#ending.signal.aborted) {
      const batch = await consumer.take({ deliveries: 500, bytes: 1 << 22 }, this.#ending.signal);
      this.taken.push(...batch);
      this.#settled = this.#settle(consumer, batch, pause);
      await this.#settled;
      this.#tell();
    }
  }

  async #settle(consumer: KafkaConsumer, batch: readonly QueuedDelivery[], pause: number): Promise<void> {
    if (pause > 0) await systemClock.sleep(pause);
    const stored = new Map<number, StoredPosition>();
    for (const delivery of batch) {
      const { partition, offset } = delivery.position;
      stored.set(partition, { next: offset + 1, digest: delivery.recordDigest() });
    }
    for (const [partition, position] of stored) this.#positions.set(partition, position);
    await consumer.acknowledge(stored);
  }

  #tell(): void {
    for (const tell of this.#changed.splice(0)) tell();
  }
}

/** The values that were taken, by partition, in the order in which they came. */
export function valuesByPartition(deliveries: readonly QueuedDelivery[]): Map<number, string[]> {
  const values = new Map<number, string[]>();
  for (const delivery of deliveries) {
    if (delivery.isPassed === true) continue;
    const { partition } = delivery.position;
    values.set(partition, [...(values.get(partition) ?? []), Buffer.from(delivery.message().value).toString('utf8')]);
  }
  return values;
}
