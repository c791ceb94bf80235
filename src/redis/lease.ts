import { isPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Lease, LeaseOffice } from '../ports/lease.ts';
import { type ConnectionOptions, defineScript, RedisConnection } from './connection.ts';

export interface RedisLeaseOptions {
  readonly connection: ConnectionOptions;
  readonly clock: Clock;
  /** Holds the name of the holder, for as long as the lease lasts. */
  readonly key: string;
  /** A name that no other process has. */
  readonly holder: string;
  /** Milliseconds without being renewed after which the lease is free. */
  readonly lasts: number;
  /** Told once somebody else is found to have taken the lease. */
  readonly onLost: () => void;
}

/** KEYS: the lease. ARGV: holder, milliseconds. 1 while the holder has it, or nobody had: then it is renewed. */
const renewal = defineScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

/** KEYS: the lease. ARGV: holder. */
const release = defineScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`);

/** How many times a lease is renewed within the time that it lasts. */
const renewals = 4;

/** A lease in Redis: a key that expires. */
export async function openRedisLease(options: RedisLeaseOptions): Promise<LeaseOffice> {
  return new RedisLeaseOffice(options, await RedisConnection.open(options.connection));
}

class RedisLeaseOffice implements LeaseOffice {
  readonly #options: RedisLeaseOptions;
  readonly #connection: RedisConnection;

  constructor(options: RedisLeaseOptions, connection: RedisConnection) {
    this.#options = options;
    this.#connection = connection;
  }

  async take(): Promise<Lease> {
    const { key, holder, lasts } = this.#options;
    await this.#connection.command('SET', key, holder, 'PX', String(lasts));
    return new RedisLease(this.#options, this.#connection);
  }

  async takeWhenFree(signal: AbortSignal, onWaiting: () => void): Promise<Lease> {
    const { clock, lasts } = this.#options;
    for (let isFirst = true; ; isFirst = false) {
      if (await isHeld(this.#options, this.#connection)) return new RedisLease(this.#options, this.#connection);
      if (isFirst) onWaiting();
      await clock.sleep(lasts / renewals / 2, signal);
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Renews itself until it is released, or found to be somebody else's. */
class RedisLease implements Lease {
  readonly #options: RedisLeaseOptions;
  readonly #connection: RedisConnection;
  readonly #over = new AbortController();
  readonly #renewing: Promise<void>;

  constructor(options: RedisLeaseOptions, connection: RedisConnection) {
    this.#options = options;
    this.#connection = connection;
    this.#renewing = this.#renew();
  }

  async release(): Promise<void> {
    if (this.#over.signal.aborted) return await this.#renewing;
    this.#over.abort();
    await this.#renewing;
    const { key, holder } = this.#options;
    // It ends by itself where Redis cannot be told.
    await this.#connection.script(release, [key], [holder]).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #renew(): Promise<void> {
    const { clock, lasts, onLost } = this.#options;
    for (;;) {
      await clock.sleep(lasts / renewals, this.#over.signal).catch(() => undefined);
      if (this.#over.signal.aborted) return;
      // What Redis refuses now it may allow again: until then the lease ends by itself.
      const held = await isHeld(this.#options, this.#connection).catch(() => undefined);
      if (held !== false) continue;
      this.#over.abort();
      onLost();
    }
  }
}

/** Whether the lease is this holder's, taken where it is free; undefined where Redis does not say. */
async function isHeld(
  { key, holder, lasts }: RedisLeaseOptions,
  connection: RedisConnection,
): Promise<boolean | undefined> {
  try {
    const { reply } = await connection.script(renewal, [key], [holder, String(lasts)]);
    return reply === 1;
  } catch (error) {
    if (isPersistenceError(error) && error.retryable) return undefined;
    throw error;
  }
}
