import { randomUUID } from 'node:crypto';
import type { RedisAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Durability } from '../redis/durability.ts';
import type { RedisStoreOptions } from '../stores/redis/redis-store.ts';
import type { UpstreamRedisOptions } from '../stores/redis/upstream-source.ts';
import type { StoreAdapter, UpstreamAdapter } from './adapter.ts';
import { type Finding, ok, warning } from './doctor/finding.ts';
import { redisPlace } from './redis-place.ts';

/** The store on Redis. Its client is loaded only where it is used. */
export const redisAdapter: StoreAdapter<RedisAddress> = {
  async open(address, values) {
    const { openRedisStore } = await import('../stores/redis/redis-store.ts');
    return openRedisStore(await optionsOf(address, values));
  },
  async exists(address, values) {
    const { redisStoreExists } = await import('../stores/redis/redis-store.ts');
    return redisStoreExists(await optionsOf(address, values));
  },
  examine,
  async openLease(address, values, lease) {
    const { openStoreLease } = await import('../stores/redis/store-lease.ts');
    return openStoreLease(await optionsOf(address, values), { ...lease, clock: systemClock, holder: randomUUID() });
  },
};

/** What macp-runtime has stored in Redis. */
export const upstreamRedisAdapter: UpstreamAdapter<RedisAddress> = {
  async examine(address, values) {
    const { examineUpstreamRedis } = await import('../stores/redis/upstream-source.ts');
    return examineUpstreamRedis(await upstreamOptionsOf(address, values));
  },
  async open(address, values) {
    const { openUpstreamRedis } = await import('../stores/redis/upstream-source.ts');
    return openUpstreamRedis(await upstreamOptionsOf(address, values));
  },
};

async function upstreamOptionsOf(address: RedisAddress, values: Values): Promise<UpstreamRedisOptions> {
  const { connection, prefix, answerTimeoutMs = values['redis.commandTimeout'] } = await optionsOf(address, values);
  if (!('nodes' in connection)) return { connection, prefix, answerTimeoutMs };
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    'macp-runtime stores nothing in a Redis Cluster: to read what it wrote, leave redis.cluster out',
  );
}

async function optionsOf(address: RedisAddress, values: Values): Promise<RedisStoreOptions> {
  const count = values['redis.replicas'];
  return {
    connection: await redisPlace(address, values),
    prefix: address.prefix,
    newId: randomUUID,
    replicas: count === 0 ? undefined : { count, timeoutMs: values['redis.replicasTimeout'] },
    answerTimeoutMs: values['redis.commandTimeout'],
    requiresDurable: values.requireDurable,
    adoptChanges: values.adoptChanges,
  };
}

/** How durable what Redis acknowledges is, as it is set up. */
async function examine(address: RedisAddress, values: Values): Promise<readonly Finding[]> {
  const { readDurability } = await import('../redis/durability.ts');
  const { storeUse } = await import('../redis/failures.ts');
  const { connection, answerTimeoutMs } = await optionsOf(address, values);
  const durability = await readDurability({
    address: connection,
    use: storeUse,
    answerTimeoutMs: answerTimeoutMs ?? values['redis.commandTimeout'],
  });
  return judgeDurability('redis', durability, 'change that; --require-durable refuses it');
}

/** What `doctor` tells of how durable a Redis is. `remedy`: what to do where it is not. */
export function judgeDurability(
  subject: string,
  { servers, weaknesses }: Durability,
  remedy: string,
): readonly Finding[] {
  const elsewhere = servers.filter(({ role }) => role !== undefined && role !== 'master');
  const found = [
    ...weaknesses.map((weakness) => warning(subject, weakness, remedy)),
    ...elsewhere.map(() => warning(subject, 'it is a replica and takes no writes', 'name the master, or make it one')),
  ];
  if (found.length > 0) return found;
  return servers.map(({ version, appendonly, appendfsync, replicas, maxmemoryPolicy }) =>
    ok(
      subject,
      `version ${version}, appendonly ${appendonly}, appendfsync ${appendfsync}, maxmemory-policy ${maxmemoryPolicy}, ${replicas} replicas: what it acknowledges survives a power cut`,
    ),
  );
}
