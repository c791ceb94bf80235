import { PersistenceError } from '../../domain/errors.ts';
import { defineScript, type RedisConnection } from '../../redis/connection.ts';
import { listOf, textOf } from '../../redis/replies.ts';
import type { BullmqKeys } from './keys.ts';

/** Which queue lies in Redis. */
export interface QueueGuard {
  /** A UUID, made once. */
  readonly id: string;
  readonly shards: number;
}

export interface GuardOptions {
  readonly newId: () => string;
  /** Undefined: whatever the queue has, and {@link defaultShards} for a new one. */
  readonly shards?: number | undefined;
}

const layoutVersion = 1;
const defaultShards = 8;

/**
 * KEYS: the guard; what the keys of the first shard begin with. ARGV: id, layout version and number of shards of a new
 * queue. Answers with those of the queue that is there afterwards.
 */
const guardScript = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 0 and redis.call('EXISTS', KEYS[2] .. 'position') == 0 then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'layout', ARGV[2], 'shards', ARGV[3])
end
return redis.call('HMGET', KEYS[1], 'id', 'layout', 'shards')
`);

/**
 * Finds or makes the note that says which queue this is and how many shards it has. Throws `INVALID_CONFIGURATION` for
 * another number of shards, `QUEUE_TOO_NEW`, and `QUEUE_CORRUPT` where there are jobs of a queue and no such note.
 */
export async function settleGuard(
  connection: RedisConnection,
  keys: BullmqKeys,
  { newId, shards }: GuardOptions,
): Promise<QueueGuard> {
  const args = [newId(), String(layoutVersion), String(shards ?? defaultShards)];
  const answer = await connection.script(guardScript, [keys.guard, keys.shard(0)], args);
  const [id, layout, count] = listOf(answer.reply).map((text) => textOf(text) ?? '');
  if (!id || !/^[1-9][0-9]*$/.test(layout ?? '') || !/^[1-9][0-9]*$/.test(count ?? '')) {
    throw new PersistenceError('QUEUE_CORRUPT', `${connection.where}: ${keys.guard} does not say which queue this is`);
  }
  if (Number(layout) > layoutVersion) {
    throw new PersistenceError(
      'QUEUE_TOO_NEW',
      `${connection.where} holds a queue of layout version ${layout}; this release knows ${layoutVersion}`,
    );
  }
  const found = Number(count);
  if (shards !== undefined && shards !== found) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `the queue ${keys.prefix} in ${connection.where} has ${found} shards, not ${shards}: their number is fixed once it ` +
        'exists, as sessions would change shards and overtake themselves; leave bullmq.shards out, or use a new prefix',
    );
  }
  return { id, shards: found };
}
