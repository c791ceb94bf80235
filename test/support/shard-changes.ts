import { randomUUID } from 'node:crypto';
import { isPersistenceError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Tally } from '../../src/domain/plan.ts';
import { addTally, emptyTally } from '../../src/domain/rule/tally.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import type { BullmqQueue } from '../../src/queues/bullmq/bullmq-queue.ts';
import { type ChangedShards, type ChangeShardsOptions, changeShards } from '../../src/queues/bullmq/change-shards.ts';
import type { RedisAddress } from '../../src/redis/options.ts';
import { append } from './commands.ts';
import { pipelineOf } from './pipelines.ts';

/** Gives the queue this number of shards, as the command line does. */
export function changeTo(
  connection: RedisAddress,
  prefix: string,
  shards: number,
  more: Partial<ChangeShardsOptions> = {},
): Promise<ChangedShards> {
  return changeShards({ connection, prefix, shards, clock: systemClock, newId: randomUUID, ...more });
}

/** A pipeline on such a queue. */
export function batchesOf(queue: BullmqQueue, store: Store): Pipeline {
  const limits = { deliveries: 50, bytes: 1_000_000 };
  return pipelineOf(queue, store, { limits, cachedSessions: 1_000, backoff: { initial: 1, maximum: 50 } });
}

type OpenQueue = () => Promise<BullmqQueue>;

/** What a supervisor does with a process whose queue was given other shards: it is started again. */
async function again(open: OpenQueue, work: (queue: BullmqQueue) => Promise<void>): Promise<void> {
  for (;;) {
    await using queue = await open();
    try {
      return await work(queue);
    } catch (error) {
      if (!isPersistenceError(error, 'QUEUE_CHANGED')) throw error;
    }
  }
}

/** A worker that is started again whenever the shards were changed. */
export class LastingWorker {
  readonly tally = emptyTally();
  readonly ended: Promise<void>;
  readonly #ending = new AbortController();

  constructor(open: OpenQueue, store: Store) {
    this.ended = again(open, (queue) => this.#work(queue, store));
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.ended;
  }

  async #work(queue: BullmqQueue, store: Store): Promise<void> {
    await using pipeline = batchesOf(queue, store);
    const stop = (): void => void pipeline.stop();
    this.#ending.signal.addEventListener('abort', stop);
    pipeline.on('committed', ({ tally }: { readonly tally: Tally }) => addTally(this.tally, tally));
    if (!this.#ending.signal.aborted) await pipeline.run();
  }
}

/** A publisher of one entry after another in each of its sessions, started again whenever the shards were changed. */
export class LastingPublisher {
  /** Commands that were acknowledged, of each session. */
  published = 0;
  readonly ended: Promise<void>;
  #isEnding = false;

  constructor(open: OpenQueue, sessions: readonly SessionId[]) {
    this.ended = again(open, async (queue) => {
      while (!this.#isEnding) {
        const sequence = this.published + 1;
        await queue.publish(sessions.map((session) => append(sequence, `${sequence}`, { session })));
        this.published = sequence;
      }
    });
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.ended;
  }
}
