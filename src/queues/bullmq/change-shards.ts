import { PersistenceError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { queueUse } from '../../redis/failures.ts';
import type { RedisAddress } from '../../redis/options.ts';
import { textOf } from '../../redis/replies.ts';
import { tryWithin } from '../patience.ts';
import { changingLayout, type QueueGuard, readGuard } from './guard.ts';
import { type BullmqKeys, bullmqKeys } from './keys.ts';
import { LayoutScripts } from './layout-scripts.ts';
import { busyReply, changeScript, doneReply, giveUpScript } from './scripts/change-script.ts';

export interface ChangeShardsOptions {
  readonly connection: RedisAddress;
  readonly prefix: string;
  /** The new number. */
  readonly shards: number;
  /** How long Redis may take to answer, in milliseconds. Default 30 s. */
  readonly answerTimeoutMs?: number | undefined;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Told how many commands workers still have to store. */
  readonly onWaiting?: ((commands: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How many shards the queue had, and has. */
export interface ChangedShards {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds for which publishers stay out when whoever keeps them out is heard of no more. */
const keptOut = 10_000;
/** Milliseconds for which a Redis that does not answer, and another change, are waited for: one that was killed is over. */
const patience = 15_000;
/** Milliseconds between two looks at what still waits. */
const lookInterval = 100;

/**
 * Gives a queue another number of shards. Publishers are kept out (`QUEUE_CHANGING`) until its workers have stored all
 * that waits; then, in one step, it has the new number, and whoever has it open is sent away (`QUEUE_CHANGED`). Waits as
 * long as it takes. Given up before that, or killed, it has changed nothing: publishers are let in again at once, or
 * after ten seconds. Throws `QUEUE_CHANGING` while somebody else does the same, `INVALID_CONFIGURATION` where there is
 * no queue, and `ABORTED`.
 */
export async function changeShards(options: ChangeShardsOptions): Promise<ChangedShards> {
  const connection = await RedisConnection.open({
    address: options.connection,
    use: queueUse,
    answerTimeoutMs: options.answerTimeoutMs ?? 30_000,
  });
  try {
    const keys = bullmqKeys(options.prefix);
    const guard = await readGuard(connection, keys);
    if (guard.shards !== options.shards) await new ShardChange(connection, keys, guard, options).run();
    return { from: guard.shards, to: options.shards };
  } finally {
    connection.close();
  }
}

class ShardChange {
  readonly #connection: RedisConnection;
  readonly #keys: BullmqKeys;
  readonly #guard: QueueGuard;
  readonly #options: ChangeShardsOptions;
  /** Of the queue afterwards, and of this change until then. */
  readonly #id: string;

  constructor(connection: RedisConnection, keys: BullmqKeys, guard: QueueGuard, options: ChangeShardsOptions) {
    this.#connection = connection;
    this.#keys = keys;
    this.#guard = guard;
    this.#options = options;
    this.#id = options.newId();
  }

  async run(): Promise<void> {
    const { clock, onWaiting, signal } = this.#options;
    try {
      for (;;) {
        if (signal?.aborted) throw new PersistenceError('ABORTED', 'the shards were not changed: that was given up');
        const waiting = await tryWithin(clock, patience, () => this.#step(), signal);
        if (waiting === 0) return;
        onWaiting?.(waiting);
        await clock.sleep(lookInterval, signal).catch(() => undefined);
      }
    } catch (error) {
      // Publishers are let in sooner; where Redis does not answer they come in by themselves.
      await this.#connection.script(giveUpScript, [this.#keys.change], [this.#id]).catch(() => undefined);
      throw error;
    }
  }

  /** How many commands wait; none once the change is made. */
  async #step(): Promise<number> {
    const { change, group, channel, shard } = this.#keys;
    const present = Array.from({ length: this.#guard.shards }, (_, index) => shard(index));
    const scripts = new LayoutScripts(this.#connection, this.#keys, this.#guard.id);
    const args = [this.#id, this.#options.shards, keptOut, channel].map(String);
    const reply = await scripts.run(changeScript, [change, group, ...present], args);
    if (typeof reply === 'number') return reply;
    if (textOf(reply) === doneReply) return 0;
    throw textOf(reply) === busyReply ? changingLayout(this.#keys) : new PersistenceError('UNEXPECTED', `${reply}`);
  }
}
