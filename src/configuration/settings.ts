import { bullmqSettings } from './bullmq-settings.ts';
import { gatewaySettings } from './gateway-settings.ts';
import { kafkaSettings } from './kafka-settings.ts';
import {
  choice,
  directory,
  duration,
  file,
  integer,
  queueReference,
  size,
  storeReference,
  text,
  truth,
} from './kinds.ts';
import { redisSettings } from './redis-settings.ts';
import { rocksdbSettings } from './rocksdb-settings.ts';
import { optionalSetting, setting, type UpstreamSource, type ValuesOf } from './setting.ts';

export type { Environment, Setting, SettingsTable } from './setting.ts';

/** Which kinds of stores and queues this build has adapters for. */
export interface AvailableKinds {
  readonly stores: readonly string[];
  readonly queues: readonly string[];
}

const mebibyte = 2 ** 20;

export type Settings = ReturnType<typeof settingsTable>;
export type Values = ValuesOf<Settings>;

/** Every setting of this build. */
export function settingsTable(available: AvailableKinds) {
  return {
    store: setting(storeReference(available.stores), 'level', 'Where sessions are kept: a kind of store, or a URL', {
      upstream: upstreamStore,
    }),
    queue: setting(queueReference(available.queues), 'embedded', 'Where commands wait: a kind of queue, or a URL'),
    dataDir: setting(
      directory,
      'macp-persist-data',
      'Directory of the embedded queue (its queue/) and of a store that is named without a place (its level/, its rocksdb/; a file store is the directory itself)',
      {
        upstream: upstreamVariable('MACP_DATA_DIR'),
      },
    ),
    'embedded.partitions': optionalSetting(
      integer(1, 1024),
      'Partitions of a new embedded queue, fixed once it exists (a new one gets 8)',
    ),
    'embedded.maximumBacklog': setting(
      size(mebibyte),
      '1GiB',
      'Unconsumed bytes at which the embedded queue takes no more',
    ),
    'embedded.retentionAge': setting(
      duration(0),
      '7d',
      'How long the embedded queue keeps consumed commands for replay',
    ),
    'embedded.retentionSize': setting(
      size(0),
      '10GiB',
      'How many bytes of consumed commands the embedded queue keeps for replay',
    ),
    'worker.batchCommands': setting(integer(1, 100_000), 16_384, 'Most commands that one commit takes'),
    'worker.batchSize': setting(size(1), '8MiB', 'Most bytes of commands that one commit takes'),
    'worker.cachedSessions': setting(
      integer(1, 10_000_000),
      100_000,
      'About how many sessions a worker remembers the state of, at some 300 bytes each',
    ),
    'worker.acceptNewQueue': setting(
      truth,
      false,
      'Whether to consume a queue although the store was filled from another of its kind',
    ),
    requireDurable: setting(
      truth,
      false,
      'Whether to refuse a store that loses what it acknowledged in a power cut, as it is set up',
    ),
    adoptChanges: setting(
      truth,
      false,
      'Whether to take a store as it is now where macp-runtime wrote to it after this project did',
    ),
    ...kafkaSettings,
    ...bullmqSettings,
    ...redisSettings,
    ...rocksdbSettings,
    'http.host': setting(
      text,
      '127.0.0.1',
      'Address that the HTTP API listens at; any but the loopback one needs http.tokens',
    ),
    'http.port': setting(integer(0, 65_535), 8080, 'Port that the HTTP API listens at; 0 takes a free one'),
    'http.tokens': optionalSetting(
      file,
      'File of the bearer tokens that the HTTP API accepts; read again when it changes',
    ),
    'http.maximumRate': setting(
      integer(0, 1_000_000),
      10_000,
      'Most requests that the HTTP API takes from one address a second; 0 for no limit',
    ),
    'http.maximumConnections': setting(integer(1, 65_535), 1_000, 'Most connections that the HTTP API holds open'),
    'http.maximumBody': setting(size(1_024), '32MiB', 'Largest body that the HTTP API takes'),
    'http.maximumBuffered': setting(size(mebibyte), '256MiB', 'Most bytes of bodies that the HTTP API holds at a time'),
    ...gatewaySettings,
    'service.drainDeadline': setting(
      duration(0),
      '30s',
      'How long requests under way and waiting commands are finished for after SIGINT or SIGTERM',
    ),
    'service.stalledAfter': setting(
      duration(1_000),
      '5m',
      'How long commands may wait without one being persisted until the process ends, to be started again',
    ),
    'service.logCache': setting(size(0), '32MiB', 'Most bytes of recently read logs that are kept in memory'),
    'service.backupDirectory': optionalSetting(
      directory,
      "Where backups are made (else the data directory's backups/)",
    ),
    'log.level': setting(
      choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
      'info',
      'Least severe log lines that are written to standard error',
    ),
  } as const;
}

/** A setting that one of upstream's variables gives as it stands. */
function upstreamVariable(name: string): UpstreamSource {
  return {
    variables: [name],
    read: (environment) => {
      const text = environment[name];
      return text === undefined || text === '' ? undefined : { text, from: name };
    },
  };
}

// What macp-runtime does with its variables: the backend's name decides, and only its own path or URL counts.
const upstreamStore: UpstreamSource = {
  variables: ['MACP_STORAGE_BACKEND', 'MACP_ROCKSDB_PATH', 'MACP_REDIS_URL'],
  read: (environment) => {
    const backend = environment['MACP_STORAGE_BACKEND'];
    if (backend === undefined || backend === '') return undefined;
    const path = environment['MACP_ROCKSDB_PATH'];
    const url = environment['MACP_REDIS_URL'];
    if (backend === 'rocksdb' && path)
      return { text: `rocksdb:${path}`, from: 'MACP_STORAGE_BACKEND and MACP_ROCKSDB_PATH' };
    if (backend === 'redis' && url) return { text: url, from: 'MACP_STORAGE_BACKEND and MACP_REDIS_URL' };
    return { text: backend, from: 'MACP_STORAGE_BACKEND' };
  },
};
