import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanRedis } from '../../scripts/services/cleaning.mjs';
import { type LocalRedis, type RedisOptions, startRedis as startLocalRedis } from '../../scripts/services/redis.mjs';
import {
  type RedisClusterOptions,
  startRedisCluster as startLocalCluster,
} from '../../scripts/services/redis-cluster.mjs';

/** A redis-server that a test started for itself, to stop and to kill as it likes. */
export interface OwnRedis extends AsyncDisposable {
  /** `redis://127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  /** Where its append-only file is. */
  readonly directory: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it, where it does not run, with the data and the address that it had. */
  restart(): Promise<void>;
  /** SIGTERM; `restart()` brings it back. */
  stop(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
}

/** Starts a local redis-server at a free port; unless `settings` says otherwise, with `appendfsync always`. */
export async function startRedis(settings: RedisOptions['settings'] = {}): Promise<OwnRedis> {
  return await inFreshDirectory(async (directory, remove) => {
    const server = await startLocalRedis({ directory, settings });
    return {
      ...owned(server),
      async [Symbol.asyncDispose]() {
        await server.kill();
        remove();
      },
    };
  });
}

/** A Redis Cluster of three masters, and their replicas behind them. */
export interface OwnRedisCluster extends AsyncDisposable {
  /** `redis://127.0.0.1:port` of every node, masters first, with commas between. */
  readonly address: string;
  readonly nodes: readonly Omit<OwnRedis, keyof AsyncDisposable>[];
}

/** Starts a real Redis Cluster on this machine, and resolves once it serves every slot. */
export async function startRedisCluster(
  options: Omit<RedisClusterOptions, 'directory'> = {},
): Promise<OwnRedisCluster> {
  return await inFreshDirectory(async (directory, remove) => {
    const cluster = await startLocalCluster({ ...options, directory });
    const nodes = cluster.nodes.map(owned);
    return {
      address: nodes.map(({ address }) => address).join(','),
      nodes,
      async [Symbol.asyncDispose]() {
        await Promise.all(cluster.nodes.map((node) => node.kill()));
        remove();
      },
    };
  });
}

/** The shared Redis that `npm test` provides to the suites that need it. */
export function redisAddress(): string {
  const address = process.env['MACP_PERSIST_TEST_REDIS'];
  if (address === undefined || address === '') throw new Error('MACP_PERSIST_TEST_REDIS is not set: npm test sets it');
  return address;
}

/** A prefix of keys that nobody else uses. It stands behind the prefix of this run. */
export function uniquePrefix(): string {
  return `${process.env['MACP_PERSIST_TEST_PREFIX'] ?? 'test-'}${randomUUID().slice(0, 13)}`;
}

/** Removes every key that begins with `prefix`, and no other. */
export const deleteKeys: (address: string, prefix: string) => Promise<void> = cleanRedis;

function owned(server: LocalRedis): Omit<OwnRedis, keyof AsyncDisposable> {
  return {
    address: `redis://127.0.0.1:${server.port}`,
    port: server.port,
    directory: server.directory,
    kill: server.kill,
    restart: server.start,
    stop: server.stop,
    pause: server.pause,
    resume: server.resume,
  };
}

/** What `start` makes of a fresh directory, which goes away again when it fails. */
async function inFreshDirectory<Started>(
  start: (directory: string, remove: () => void) => Promise<Started>,
): Promise<Started> {
  const directory = mkdtempSync(join(tmpdir(), 'macp-persist-redis-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    return await start(directory, remove);
  } catch (error) {
    remove();
    throw error;
  }
}
