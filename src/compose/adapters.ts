import { randomUUID } from 'node:crypto';
import type { QueueAddress, StoreAddress } from '../configuration/addresses.ts';
import type { SourceId } from '../domain/plan.ts';
import { nodeFileSystem } from '../platform/node-file-system.ts';
import { systemClock } from '../platform/system-clock.ts';
import { openEmbeddedQueue } from '../queues/embedded/open-embedded-queue.ts';
import { createMemoryQueue } from '../queues/memory/memory-queue.ts';
import { fileStoreDirectories, fileStoreMarks, openFileStore } from '../stores/file/file-store.ts';
import { openLevelStore } from '../stores/level/level-store.ts';
import { createMemoryStore } from '../stores/memory/memory-store.ts';
import { examineUpstreamFiles, openUpstreamFiles } from '../stores/upstream-file/upstream-file-source.ts';
import type { QueueAdapter, StoreAdapter, UpstreamAdapter } from './adapter.ts';
import { bullmqAdapter } from './bullmq.ts';
import { databaseExists, fileExists } from './file-exists.ts';
import { kafkaAdapter } from './kafka.ts';
import { redisAdapter, upstreamRedisAdapter } from './redis.ts';
import { rocksdbAdapter, upstreamRocksdbAdapter } from './rocksdb.ts';

type StoreAdapters = {
  readonly [Kind in StoreAddress['kind']]?: StoreAdapter<Extract<StoreAddress, { readonly kind: Kind }>>;
};
type QueueAdapters = {
  readonly [Kind in QueueAddress['kind']]?: QueueAdapter<Extract<QueueAddress, { readonly kind: Kind }>>;
};

type UpstreamAdapters = {
  readonly [Kind in StoreAddress['kind']]?: UpstreamAdapter<Extract<StoreAddress, { readonly kind: Kind }>>;
};

/** The stores of this build, one entry an adapter. */
export const storeAdapters: StoreAdapters = {
  memory: { open: async () => createMemoryStore(), exists: async () => true },
  level: {
    open: ({ directory }) =>
      openLevelStore({ directory, files: nodeFileSystem, clock: systemClock, newId: randomUUID }),
    exists: databaseExists,
    directories: ({ directory }) => [directory],
  },
  file: {
    open: ({ directory }, { adoptChanges }) =>
      openFileStore({ directory, files: nodeFileSystem, newId: randomUUID, adoptChanges }),
    exists: async ({ directory }) => (await Promise.all(fileStoreMarks(directory).map(fileExists))).includes(true),
    directories: ({ directory }) => fileStoreDirectories(directory),
  },
  redis: redisAdapter,
  rocksdb: rocksdbAdapter,
};

/** What macp-runtime writes without us, one entry a kind of store. */
export const upstreamAdapters: UpstreamAdapters = {
  file: {
    examine: ({ directory }) => examineUpstreamFiles(directory),
    open: ({ directory }, _, onRemark) => openUpstreamFiles({ directory, onRemark }),
  },
  redis: upstreamRedisAdapter,
  rocksdb: upstreamRocksdbAdapter,
};

/** The queues of this build, one entry an adapter. */
export const queueAdapters: QueueAdapters = {
  memory: {
    exclusive: true,
    exists: async () => true,
    open: async (_, values) =>
      createMemoryQueue({
        source: `memory:${randomUUID()}` as SourceId,
        clock: systemClock,
        partitions: values['embedded.partitions'],
        maximumUnconsumedBytes: values['embedded.maximumBacklog'],
      }),
  },
  embedded: {
    exclusive: true,
    exists: ({ directory }) => fileExists(directory),
    open: ({ directory }, values) =>
      openEmbeddedQueue({
        directory,
        partitions: values['embedded.partitions'],
        maximumUnconsumedBytes: values['embedded.maximumBacklog'],
        retention: { ageMs: values['embedded.retentionAge'], bytes: values['embedded.retentionSize'] },
        fileSystem: nodeFileSystem,
        clock: systemClock,
        newId: randomUUID,
      }),
  },
  kafka: kafkaAdapter,
  bullmq: bullmqAdapter,
};
