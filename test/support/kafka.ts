import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
// Node finds only some of its names in that CommonJS module.
import kafkajs, { type Admin, type ITopicConfig, Kafka, logLevel } from 'kafkajs';
import { type KafkaOptions, type LocalBroker, startKafka } from '../../scripts/services/kafka.mjs';

/** A broker, or a cluster of them, that a test started for itself, to stop and to kill as it likes. */
export interface OwnKafka extends AsyncDisposable {
  /** `host:port` of every broker, with commas between; of the plain listener unless another is named. */
  readonly address: string;
  readonly brokers: readonly LocalBroker[];
  addressOf(listener: string): string;
  /** SIGKILL to every broker. */
  kill(): Promise<void>;
  /** Starts the brokers that do not run, with the data and the addresses that they had. */
  restart(): Promise<void>;
  /** SIGTERM to every broker; `restart()` brings them back. */
  stop(): Promise<void>;
  /** SIGSTOP and SIGCONT to every broker. */
  pause(): void;
  resume(): void;
}

/** Starts a local KRaft cluster on free ports, of one broker unless `nodes` says otherwise. Disposing removes it whole. */
export async function startBroker(options: Omit<KafkaOptions, 'directory'> = {}): Promise<OwnKafka> {
  const directory = mkdtempSync(join(tmpdir(), 'macp-persist-kafka-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const kafka = await startKafka({ ...options, directory });
    const each = async (act: (broker: LocalBroker) => Promise<void>): Promise<void> => {
      await Promise.all(kafka.brokers.map(act));
    };
    const kill = (): Promise<void> => each((broker) => broker.kill());
    return {
      address: kafka.addresses(),
      brokers: kafka.brokers,
      addressOf: (listener) => kafka.addresses(listener),
      kill,
      restart: () => each((broker) => broker.start()),
      stop: () => each((broker) => broker.stop()),
      pause: () => {
        for (const broker of kafka.brokers) broker.pause();
      },
      resume: () => {
        for (const broker of kafka.brokers) broker.resume();
      },
      async [Symbol.asyncDispose]() {
        await kill();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The shared Kafka that `npm test` provides to the suites that need it: `host:port`, with commas between. */
export function kafkaAddress(): string {
  const address = process.env['MACP_PERSIST_TEST_KAFKA'];
  if (address === undefined || address === '') throw new Error('MACP_PERSIST_TEST_KAFKA is not set: npm test sets it');
  return address;
}

/** A client that says nothing of its own. */
export function kafkaClient(address: string = kafkaAddress()): Kafka {
  return new Kafka({ clientId: 'test', brokers: address.split(','), logLevel: logLevel.NOTHING });
}

/** Lets an admin client of `address` do something, and disconnects it. */
export async function asAdmin<Result>(address: string, act: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = kafkaClient(address).admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}

/** A name of a topic or group that nobody else uses. It stands behind the prefix of this run. */
export function uniqueName(what = 'topic'): string {
  return `${process.env['MACP_PERSIST_TEST_PREFIX'] ?? 'test-'}${what}-${randomUUID().slice(0, 13)}`;
}

/** Creates a topic as plain Kafka would, and resolves with its name once it has leaders. */
export async function createTopic(
  address: string,
  topic: Partial<ITopicConfig> & { readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { settings = {}, ...rest } = topic;
  const name = topic.topic ?? uniqueName();
  const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
  await asAdmin(address, async (admin) => {
    await admin.createTopics({
      topics: [{ numPartitions: 1, replicationFactor: 1, configEntries, ...rest, topic: name }],
      waitForLeaders: false,
    });
    // kafkajs's own wait gives up when a busy broker has not heard of the topic yet.
    while (!(await hasLeaders(admin, name))) await setTimeout(20);
  });
  return name;
}

async function hasLeaders(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics.flatMap((found) => found.partitions);
    return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0);
  } catch (error) {
    const isNew =
      error instanceof kafkajs.KafkaJSProtocolError &&
      ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'].includes(error.type);
    if (isNew) return false;
    throw error;
  }
}

/** Deletes topics; what is not there stays away. */
export async function deleteTopics(address: string, names: readonly string[]): Promise<void> {
  await asAdmin(address, async (admin) => {
    const there = await admin.listTopics();
    const topics = names.filter((name) => there.includes(name));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

/** Deletes the topic of this name, and all whose names go on from it. */
export async function deleteTopicsNamed(address: string, beginning: string): Promise<void> {
  await asAdmin(address, async (admin) => {
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(beginning));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}
