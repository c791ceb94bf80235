import { PersistenceError } from '../../domain/errors.ts';
import type { Reply } from '../../redis/command.ts';
import { defineScript, type RedisConnection } from '../../redis/connection.ts';
import { listOf, textOf } from '../../redis/replies.ts';
import type { Continuation } from './continuation.ts';
import type { BullmqKeys } from './keys.ts';

/** Which queue lies in Redis. */
export interface QueueGuard {
  /** A UUID, made with the queue and anew with every change of its shards. */
  readonly id: string;
  readonly shards: number;
  /** The queue as it was before its shards were changed: stores have all of it. */
  readonly continues: Continuation | undefined;
}

export interface GuardOptions {
  readonly newId: () => string;
  /** Undefined: whatever the queue has, and {@link defaultShards} for a new one. */
  readonly shards?: number | undefined;
}

const layoutVersion = 1;
const defaultShards = 8;
const fields = ['id', 'layout', 'shards', 'continues'] as const;

/**
 * KEYS: the guard; what the keys of the first shard begin with. ARGV: id, layout version and number of shards of a new
 * queue. Answers with the fields of the one that is there afterwards.
 */
const guardScript = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 0 and redis.call('EXISTS', KEYS[2] .. 'position') == 0 then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'layout', ARGV[2], 'shards', ARGV[3])
end
return redis.call('HMGET', KEYS[1], '${fields.join("', '")}')
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
  const guard = decodeGuard(connection, keys, answer.reply);
  if (shards === undefined || shards === guard.shards) return guard;
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `the queue ${keys.prefix} in ${connection.where} has ${guard.shards} shards, not ${shards}: sessions would change ` +
      'shards and overtake themselves; leave bullmq.shards out, or change them with `macp-persist repartition`',
  );
}

/** The note of a queue that is there. Throws `INVALID_CONFIGURATION` where there is none, else as {@link settleGuard}. */
export async function readGuard(connection: RedisConnection, keys: BullmqKeys): Promise<QueueGuard> {
  const reply = await connection.command('HMGET', keys.guard, ...fields);
  if (listOf(reply).some((field) => field !== null)) return decodeGuard(connection, keys, reply);
  throw new PersistenceError('INVALID_CONFIGURATION', `there is no queue ${keys.prefix} in ${connection.where}`);
}

function decodeGuard(connection: RedisConnection, keys: BullmqKeys, reply: Reply): QueueGuard {
  const [id, layout, count, continues] = listOf(reply).map((text) => textOf(text) ?? '');
  if (!id || !/^[1-9][0-9]*$/.test(layout ?? '') || !/^[1-9][0-9]*$/.test(count ?? '')) {
    throw new PersistenceError('QUEUE_CORRUPT', `${connection.where}: ${keys.guard} does not say which queue this is`);
  }
  if (Number(layout) > layoutVersion) {
    throw new PersistenceError(
      'QUEUE_TOO_NEW',
      `${connection.where} holds a queue of layout version ${layout}; this release knows ${layoutVersion}`,
    );
  }
  // As {@link changeScript} writes it.
  return { id, shards: Number(count), continues: continues ? JSON.parse(continues) : undefined };
}

/** Whoever has the queue open as it was before its shards were changed can do nothing more with it. */
export function changedLayout({ prefix }: BullmqKeys): PersistenceError {
  return new PersistenceError(
    'QUEUE_CHANGED',
    `the queue ${prefix} was given another number of shards since it was opened: start again`,
  );
}

/** Nothing was written, and nothing can be at present. */
export function changingLayout({ prefix }: BullmqKeys): PersistenceError {
  return new PersistenceError(
    'QUEUE_CHANGING',
    `the number of shards of the queue ${prefix} is being changed: nothing is taken until that is done`,
  );
}
