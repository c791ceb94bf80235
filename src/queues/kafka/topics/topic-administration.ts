import type { Admin, ITopicConfig, Kafka } from 'kafkajs';
import { isPersistenceError, PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import { tryWithin } from '../../patience.ts';
import { type KafkaCluster, openCluster } from '../connection/cluster.ts';
import { createKafka } from '../connection/create-kafka.ts';
import { brokerError, kafkaFailure, type Operation, protocolFailure } from '../connection/failures.ts';
import type { KafkaConnectionOptions, KafkaLog } from '../connection/kafka-options.ts';
import { TopicBrokers } from '../consumer/topic-brokers.ts';
import type { TopicId } from '../protocol/fetch.ts';
import { metadataRequest, type TopicMetadata } from '../protocol/metadata.ts';
import { alterSettingsRequest, topicResource } from './alter-settings-request.ts';
import type { SettingChange } from './setting-change.ts';

/** A topic as the brokers tell of it. */
export interface TopicFacts {
  readonly name: string;
  readonly id: TopicId;
  readonly partitions: number;
  /** The fewest that a partition has. */
  readonly replicas: number;
  /** Every setting that holds for it, by its name in Kafka. */
  readonly settings: ReadonlyMap<string, string>;
}

/** A topic to make. */
export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly settings: Readonly<Record<string, string>>;
}

export interface AdministrationOptions {
  readonly connection: KafkaConnectionOptions;
  readonly clock: Clock;
  readonly onLog: KafkaLog;
}

const unknownTopic = 3;
/** Milliseconds that a topic may take to be known to every broker once it was made. */
const spreading = 30_000;

/** Looks at topics, makes them and changes their settings. Everything rejects with a PersistenceError. */
export class TopicAdministration implements AsyncDisposable {
  readonly kafka: Kafka;
  readonly #options: AdministrationOptions;
  readonly #admin: Admin;
  readonly #cluster: KafkaCluster;

  private constructor(options: AdministrationOptions) {
    this.#options = options;
    this.kafka = createKafka(options.connection, options.onLog);
    this.#admin = this.kafka.admin();
    this.#cluster = openCluster(this.kafka);
  }

  /** Connects. Throws `QUEUE_UNAVAILABLE` when no broker answers, and what `kafkaFailure` makes of all else. */
  static async open(options: AdministrationOptions): Promise<TopicAdministration> {
    const administration = new TopicAdministration(options);
    try {
      // Brokers that expect TLS just close a connection without it.
      const how = options.connection.tls === undefined ? 'without TLS' : 'over TLS';
      await asking(`connecting to Kafka ${how}`, async () => {
        await administration.#admin.connect();
        await administration.#cluster.connect();
      });
      return administration;
    } catch (error) {
      await administration.close();
      throw error;
    }
  }

  /** What there is to know of a topic, or undefined when there is none. */
  async describe(name: string): Promise<TopicFacts | undefined> {
    const doing = `looking at topic ${name}`;
    const found = await this.#metadata(name, doing);
    if (found === undefined) return undefined;
    const { topicId, partitions } = found;
    const replicas = Math.min(...partitions.map((partition) => partition.replicas));
    return { name, id: topicId, partitions: partitions.length, replicas, settings: await this.#settings(name, doing) };
  }

  /** How many brokers of the cluster are in service: one at least. */
  async brokerCount(): Promise<number> {
    const doing = 'looking at the brokers';
    return await tryWithin(this.#options.clock, spreading, async () => {
      const { brokers } = await asking(doing, () => this.#admin.describeCluster());
      if (brokers.length > 0) return brokers.length;
      throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: none is in service at present`);
    });
  }

  /** Makes a topic, unless somebody else has made it meanwhile. Resolves with it once it is known and led. */
  async create({ name, partitions, replicas, settings }: NewTopic): Promise<TopicFacts> {
    const doing = `making topic ${name}`;
    const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
    const topic = { topic: name, numPartitions: partitions, replicationFactor: replicas, configEntries };
    await tryWithin(this.#options.clock, spreading, () => this.#make(topic, doing));
    return await tryWithin(this.#options.clock, spreading, async () => {
      const found = await this.#metadata(name, doing);
      const isLed = found?.partitions.every(({ leader }) => leader >= 0) === true;
      // What one broker knows already, another one may not.
      const facts = isLed ? await this.describe(name).catch(unlessUnknown) : undefined;
      if (facts !== undefined) return facts;
      throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: the brokers do not know it yet`);
    });
  }

  async #make(topic: ITopicConfig & { readonly replicationFactor: number }, doing: string): Promise<void> {
    try {
      await this.#admin.createTopics({ topics: [topic], waitForLeaders: false });
    } catch (error) {
      const isTooFew = brokerError(error) === 'INVALID_REPLICATION_FACTOR';
      // A broker that has just started, or was not heard of for a moment, does not count before it is heard of again.
      if (!isTooFew || (await this.brokerCount()) < topic.replicationFactor) throw kafkaFailure(error, doing, 'Create');
      throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: too few brokers are in service`, { cause: error });
    }
  }

  /** Deletes a topic with all that it holds. Resolves once nobody knows it any more. */
  async delete(name: string): Promise<void> {
    const doing = `deleting topic ${name}`;
    await asking(doing, () => this.#admin.deleteTopics({ topics: [name] }), 'Delete');
    await tryWithin(this.#options.clock, spreading, async () => {
      if ((await this.#metadata(name, doing)) === undefined) return;
      throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: it is still there`);
    });
  }

  /** Changes settings of topics; the others stay. */
  async alter(changes: readonly SettingChange[]): Promise<void> {
    if (changes.length === 0) return;
    const doing = `changing settings of topic ${[...new Set(changes.map(({ topic }) => topic))].join(', ')}`;
    const request = alterSettingsRequest(changes);
    const errorCode = await asking(doing, async () => this.#cluster.send(await this.#cluster.anyBroker(), request));
    if (errorCode !== 0) throw protocolFailure(errorCode, doing, 'AlterConfigs');
  }

  /** The brokers of one topic; whoever asks for them closes them. */
  brokersOf({ name, id, partitions }: Pick<TopicFacts, 'name' | 'id' | 'partitions'>): TopicBrokers {
    const { clock, connection } = this.#options;
    const open = (): KafkaCluster => openCluster(this.kafka);
    return new TopicBrokers(
      { name, id, partitions },
      { openCluster: open, clock, requestTimeout: connection.requestTimeout },
    );
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#admin.disconnect(), this.#cluster.close()]).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #metadata(name: string, doing: string): Promise<TopicMetadata | undefined> {
    const request = metadataRequest([name]);
    const [found] = await asking(doing, async () => this.#cluster.send(await this.#cluster.anyBroker(), request));
    if (found === undefined || found.errorCode === unknownTopic) return undefined;
    if (found.errorCode !== 0) throw protocolFailure(found.errorCode, doing, 'Describe');
    return found;
  }

  async #settings(name: string, doing: string): Promise<ReadonlyMap<string, string>> {
    const resources = [{ type: topicResource, name }];
    const describe = () => this.#admin.describeConfigs({ resources, includeSynonyms: false });
    const described = await asking(doing, describe, 'DescribeConfigs');
    const entries = described.resources.flatMap(({ configEntries }) => configEntries);
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
  }
}

function unlessUnknown(error: unknown): undefined {
  if (!isPersistenceError(error, 'QUEUE_UNSAFE')) throw error;
}

async function asking<Answer>(doing: string, ask: () => Promise<Answer>, operation?: Operation): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    throw kafkaFailure(error, doing, operation);
  }
}
