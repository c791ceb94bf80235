import { randomUUID } from 'node:crypto';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import type { StoreCapabilities } from '../../src/ports/store.ts';
import type { RedisAddress } from '../../src/redis/options.ts';
import { openRedisStore, type RedisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts';
import { uniquePrefix } from './redis.ts';

export const standaloneCapabilities: StoreCapabilities = {
  durable: true,
  shared: true,
  atomicPositions: true,
  layout: 'upstream',
  backup: false,
};

export const clusterCapabilities: StoreCapabilities = {
  durable: true,
  shared: true,
  atomicPositions: false,
  layout: 'own',
  backup: false,
};

/** A server of this machine. */
export function serverAt(port: number): RedisAddress {
  return { host: '127.0.0.1', port, database: 0 };
}

/** A cluster of this machine. */
export function clusterAt(ports: readonly number[]): RedisAddress {
  return { nodes: ports.map((port) => ({ host: '127.0.0.1', port })) };
}

export function openAt(
  connection: RedisAddress,
  prefix: string,
  options: Partial<RedisStoreOptions> = {},
): Promise<RedisStore> {
  return openRedisStore({ connection, prefix, newId: randomUUID, ...options });
}

/** Stores in a Redis that the test started for itself: what they leave goes with it. */
export function redisHarness(capabilities: StoreCapabilities, address: () => RedisAddress): StoreHarness {
  return {
    capabilities,
    async create() {
      const prefix = uniquePrefix();
      let store = await openAt(address(), prefix);
      return {
        get store() {
          return store;
        },
        async reopen() {
          await store.close();
          store = await openAt(address(), prefix);
        },
        another: () => openAt(address(), prefix),
        dispose: () => store.close(),
      };
    },
  };
}
