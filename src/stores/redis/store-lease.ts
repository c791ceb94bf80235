import type { LeaseOffice } from '../../ports/lease.ts';
import { openRedisLease, type RedisLeaseOptions } from '../../redis/lease.ts';
import { accessOf, keySpace, type RedisStoreOptions } from './redis-store.ts';

/** Which lease, and who wants it. */
export interface StoreLease extends Pick<RedisLeaseOptions, 'clock' | 'holder' | 'lasts' | 'onLost'> {
  readonly name: string;
}

/**
 * A lease among the processes that share the store in Redis. Throws `STORE_UNAVAILABLE` when Redis does not answer, and
 * `INVALID_CONFIGURATION` where it does not let us in.
 */
export function openStoreLease(store: RedisStoreOptions, { name, ...lease }: StoreLease): Promise<LeaseOffice> {
  // Whoever waits longer than a lease lasts for an answer does not have it any more.
  const connection = { ...accessOf(store), answerTimeoutMs: lease.lasts };
  return openRedisLease({ ...lease, connection, key: `${keySpace(store).lease}${name}` });
}
