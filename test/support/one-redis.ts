import type { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { type OwnRedis, startRedis } from './redis.ts';
import { rawClient } from './redis-contents.ts';

/** A Redis of a test file's own, and a client that looks at it: there while its tests run. */
export interface OneRedis {
  readonly server: OwnRedis;
  readonly client: Redis;
}

/** Starts a Redis before the file's tests and takes it away after them. */
export function useOneRedis(): OneRedis {
  let server: OwnRedis | undefined;
  let client: Redis | undefined;
  beforeAll(async () => {
    server = await startRedis();
    client = rawClient(server.port);
  });
  afterAll(async () => {
    client?.disconnect();
    await server?.[Symbol.asyncDispose]();
  });
  return {
    get server() {
      return started(server);
    },
    get client() {
      return started(client);
    },
  };
}

function started<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('Redis is there while tests run, not before');
  return part;
}
