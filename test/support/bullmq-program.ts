import { QueueProgram } from './queue-program.ts';
import { uniquePrefix } from './redis.ts';

/** `macp-persist` over a queue of a test's own in the Redis at an address; what it leaves there goes with that Redis. */
export class BullmqProgram extends QueueProgram {
  readonly prefix: string;
  /** A store in the same Redis. */
  readonly redis: string;

  /** `address`: `redis://HOST:PORT`. */
  constructor(address: string, environment: Readonly<Record<string, string>> = {}) {
    const prefix = uniquePrefix();
    const at = `${address.replace(/^redis/, 'bullmq')}/0?prefix=${prefix}`;
    super({ MACP_PERSIST_QUEUE: at, MACP_PERSIST_BULLMQ_LEASE: '2s', ...environment });
    this.prefix = prefix;
    this.redis = `${address}/0?prefix=${prefix}-store`;
  }
}
