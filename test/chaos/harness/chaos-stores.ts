import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type OwnRedis, startRedis } from '../../support/redis.ts';
import type { Stored } from '../checker/model.ts';
import { nextOffsetOf, readLevel, readLevelPositions } from '../checker/read-level.ts';
import { readRedis } from '../checker/read-redis.ts';

/** The store of a run, looked at from outside. */
export interface ChaosStore extends AsyncDisposable {
  readonly name: string;
  /** True when only one process can have it open. */
  readonly isExclusive: boolean;
  /** There when it is a server, which can be killed. */
  readonly server?: OwnRedis;
  /** Its address as a setting. */
  readonly address: string;
  /** By partition the offset behind the last persisted command. Whoever writes to an exclusive store is stopped. */
  positions(): Promise<ReadonlyMap<number, number>>;
  /** Everything. Nobody has an exclusive store open. */
  read(): Promise<Stored>;
}

const prefix = 'chaos';

/** A Redis of its own that syncs every write. */
export async function redisStore(): Promise<ChaosStore> {
  const server = await startRedis();
  const client = new Redis(server.address);
  // It is going to be killed.
  client.on('error', () => undefined);
  return {
    name: 'Redis',
    isExclusive: false,
    server,
    address: `${server.address}/0?prefix=${prefix}`,
    async positions() {
      const stored = await client.hgetallBuffer(`${prefix}:worker:positions`);
      return new Map(
        Object.entries(stored).map(([name, position]) => [
          Number(name.slice(name.lastIndexOf('\0') + 1)),
          nextOffsetOf(position),
        ]),
      );
    },
    read: () => readRedis(server.address, prefix),
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A level store in a directory that goes with the run. */
export function levelStore(directory: string): ChaosStore {
  const store = join(directory, 'level');
  const copy = join(directory, 'level-copy');
  return {
    name: 'level',
    isExclusive: true,
    address: `level:${store}`,
    async positions() {
      if (!existsSync(store)) return new Map();
      copyLevel(store, copy);
      return await readLevelPositions(copy);
    },
    read: () => readLevel(store),
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * Copies a database whose owner is stopped. No links: opening the copy writes tables anew, under the numbers of those
 * that its owner has begun and not yet recorded.
 */
function copyLevel(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const name of readdirSync(from)) if (name !== 'LOCK') copyFileSync(join(from, name), join(to, name));
}
