import { directory, duration, file, integer, size, text, truth } from './kinds.ts';
import { optionalSetting, setting } from './setting.ts';

const mebibyte = 2 ** 20;

/** What is set of a queue on BullMQ besides its address. */
export const bullmqSettings = {
  'bullmq.shards': optionalSetting(
    integer(1, 256),
    'Shards of a queue on BullMQ (a new one gets 8); only `repartition` changes them',
  ),
  'bullmq.lease': setting(
    duration(1_000),
    '10s',
    'How long a worker may be silent until the others take its shards over',
  ),
  'bullmq.linger': setting(duration(0), '0ms', 'How long commands wait for others to share a job with'),
  'bullmq.batchSize': setting(
    size(1_024),
    '256KiB',
    'Most bytes of commands that one job holds; a larger one has a job of its own',
  ),
  'bullmq.maximumBacklog': setting(
    size(mebibyte),
    '256MiB',
    'Unconsumed bytes in Redis at which the queue takes no more',
  ),
  'bullmq.maximumWaiting': setting(size(mebibyte), '64MiB', 'Most bytes of commands that wait in memory to be sent'),
  'bullmq.archive': optionalSetting(
    directory,
    'Directory in which a queue on BullMQ keeps consumed commands for replay, the same for all of its workers',
  ),
  'bullmq.retentionAge': setting(
    duration(0),
    '7d',
    'How long the archive of a queue on BullMQ keeps consumed commands',
  ),
  'bullmq.retentionSize': setting(
    size(0),
    '10GiB',
    'How many bytes of consumed commands the archive of a queue on BullMQ keeps, each shard its part of them',
  ),
  'bullmq.givenUpArchive': optionalSetting(
    text,
    'Id of an archive that is gone: the queue on BullMQ goes on with another one, or with none',
  ),
  'bullmq.cluster': setting(truth, false, 'Whether the address is one of a Redis Cluster'),
  'bullmq.sentinelMaster': optionalSetting(
    text,
    'Name of the master that the Sentinel at the address knows, where it is the address of one',
  ),
  'bullmq.tlsCa': optionalSetting(file, 'Certificates (PEM) of who vouches for a server with a bullmqs:// address'),
  'bullmq.commandTimeout': setting(duration(100), '30s', 'How long the server may take to answer'),
} as const;
