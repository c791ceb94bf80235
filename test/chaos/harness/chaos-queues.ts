import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { asAdmin, startBroker } from '../../support/kafka.ts';
import { startRedis } from '../../support/redis.ts';
import type { TopicRecord } from '../checker/model.ts';
import { readJobs } from '../checker/read-jobs.ts';
import { readTopic } from '../checker/read-topic.ts';

/** The queue of a run, looked at from outside, and its server, which can be killed and hung. */
export interface ChaosQueue extends AsyncDisposable {
  readonly name: string;
  /** How workers and publishers are told of it. */
  readonly settings: Readonly<Record<string, string>>;
  /** Whether it has to be made by `init`. */
  readonly needsInit: boolean;
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
  /** By partition the offset behind its last record. */
  ends(): Promise<ReadonlyMap<number, number>>;
  /** How often the group of workers has changed, and whether nobody is left in it. */
  group(): { readonly rebalances: number; readonly isEmpty: boolean };
  /** Everything that was ever published, those of one partition in their order. */
  read(): Promise<readonly TopicRecord[]>;
}

/** A queue on BullMQ, and what its Redis says of the workers and of what is left for them. */
export interface BullmqChaosQueue extends ChaosQueue {
  /** Whether any worker counts as alive. */
  hasMembers(): Promise<boolean>;
  /** Whether every shard belongs to a worker that counts as alive. */
  isOwned(): Promise<boolean>;
  /** How many jobs wait in all shards. */
  waiting(): Promise<number>;
}

/** Partitions of a queue. */
export const partitions = 8;

const topic = 'chaos';
const consumers = 'chaos-workers';
/** What the broker says of a group whenever its members have changed, or when it has read who they were. */
const membership = /Stabilized group|is now empty|Loaded classic group/;

/** A broker of its own. */
export async function kafkaQueue(): Promise<ChaosQueue> {
  const kafka = await startBroker();
  return {
    name: 'Kafka',
    settings: {
      MACP_PERSIST_QUEUE: `kafka://${kafka.address}/${topic}`,
      MACP_PERSIST_KAFKA_GROUP: consumers,
      MACP_PERSIST_KAFKA_PARTITIONS: `${partitions}`,
      MACP_PERSIST_KAFKA_SESSION_TIMEOUT: '3s',
    },
    needsInit: true,
    kill: () => kafka.kill(),
    restart: () => kafka.restart(),
    pause: () => kafka.pause(),
    resume: () => kafka.resume(),
    async ends() {
      const offsets = await asAdmin(kafka.address, (admin) => admin.fetchTopicOffsets(topic));
      return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
    },
    group() {
      const lines = kafka.brokers
        .flatMap(({ log }) => readFileSync(log, 'utf8').split('\n'))
        .filter((line) => line.includes(consumers));
      const latest = lines.findLast((line) => membership.test(line)) ?? '';
      return {
        rebalances: lines.filter((line) => line.includes('Stabilized group')).length,
        isEmpty: latest.includes('is now empty') || latest.includes('with 0 members'),
      };
    },
    read: () => readTopic(kafka.address, topic),
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  };
}

const prefix = 'chaos-queue';

/** A Redis of its own, which keeps all that was ever written to it in its append-only file. */
export async function bullmqQueue(shards = partitions): Promise<BullmqChaosQueue> {
  const server = await startRedis({ 'auto-aof-rewrite-percentage': '0' });
  const client = new Redis(server.address);
  // It is going to be killed.
  client.on('error', () => undefined);
  let rebalances = 0;
  const heard = client.duplicate();
  heard.on('error', () => undefined);
  heard.on('message', (_, message: string) => {
    if (message === 'group') rebalances += 1;
  });
  const keys = `{${prefix}}:commands`;
  await heard.subscribe(`${keys}:channel`);
  const members = `${keys}:group:members`;
  const allShards = Array.from({ length: shards }, (_, shard) => shard);
  const alive = async (): Promise<readonly string[]> => {
    const [seconds, microseconds] = await client.time();
    return await client.zrange(
      members,
      `(${Number(seconds) * 1_000 + Number(microseconds) / 1_000}`,
      '+inf',
      'BYSCORE',
    );
  };
  return {
    name: 'BullMQ',
    settings: {
      MACP_PERSIST_QUEUE: `${server.address.replace('redis', 'bullmq')}/0?prefix=${prefix}`,
      MACP_PERSIST_BULLMQ_SHARDS: `${shards}`,
      MACP_PERSIST_BULLMQ_LEASE: '3s',
    },
    needsInit: false,
    kill: server.kill,
    restart: server.restart,
    pause: server.pause,
    resume: server.resume,
    async ends() {
      const ends = await Promise.all(allShards.map((shard) => client.hget(`${keys}-${shard}:position`, 'next')));
      return new Map(ends.map((end, shard) => [shard, Number(end ?? 0)]));
    },
    group: () => ({ rebalances, isEmpty: false }),
    async hasMembers() {
      return (await alive()).length > 0;
    },
    async isOwned() {
      const owners = await client.hmget(`${keys}:group:owners`, ...allShards.map(String));
      const living = new Set<string | null>(await alive());
      return owners.every((owner) => living.has(owner));
    },
    async waiting() {
      const lengths = await Promise.all(allShards.map((shard) => client.llen(`${keys}-${shard}:wait`)));
      return lengths.reduce((sum, length) => sum + length, 0);
    },
    read: () => readJobs(server.directory, `${keys}-`),
    async [Symbol.asyncDispose]() {
      heard.disconnect();
      client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}
