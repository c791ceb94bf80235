import type { BullmqAddress, RedisAddress as RedisUrl } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { RedisAddress } from '../redis/options.ts';
import { readCertificates } from './pem-files.ts';

/** Where the Redis of an address is, with what is set beside it: `redis.` or `bullmq.`, by the kind of the address. */
export async function redisPlace(address: RedisUrl | BullmqAddress, values: Values): Promise<RedisAddress> {
  const { kind, host, port, database, username, password } = address;
  const ca = await readCertificates({ setting: `${kind}.tlsCa`, path: values[`${kind}.tlsCa`] });
  const access = { username, password, tls: address.tls ? { ca } : undefined };
  const master = values[`${kind}.sentinelMaster`];
  if (!values[`${kind}.cluster`]) {
    if (master === undefined) return { ...access, host, port, database };
    return { ...access, sentinels: [{ host, port }], master, database };
  }
  if (master === undefined) return { ...access, nodes: [{ host, port }] };
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `${kind}.cluster and ${kind}.sentinelMaster are both set: a cluster has no Sentinels, leave one of them out`,
  );
}
