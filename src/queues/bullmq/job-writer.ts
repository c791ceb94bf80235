import { createIORedisClient, type IRedisClient, type IRedisTransaction, Job, Queue } from 'bullmq';
import type { Position } from '../../domain/delivery.ts';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { isUnknownScript } from '../../redis/failures.ts';
import type { GroupWriter } from '../lane.ts';
import { pauseBefore, tryWithin } from '../patience.ts';
import type { WaitingRecord } from '../publishes.ts';
import { batchEvents, type EventBatch, type WaitingEvent } from './event-batches.ts';
import { changedLayout, changingLayout } from './guard.ts';
import type { JobData } from './job-events.ts';
import type { BullmqKeys } from './keys.ts';
import { changedReply } from './scripts/fence.ts';
import { changingReply, publishScript } from './scripts/publish-script.ts';

export interface JobWriterOptions {
  /** For publishing alone; it belongs to whoever opened it. */
  readonly connection: RedisConnection;
  readonly keys: BullmqKeys;
  /** Of the queue as it was opened. */
  readonly id: string;
  readonly shards: number;
  /** Names this publisher; nobody else ever uses the name. */
  readonly publisher: string;
  readonly clock: Clock;
  /** Most bytes of events that a job holds; a larger event has a job of its own. */
  readonly batchBytes: number;
  /** Told how many bytes wait in each shard. */
  readonly onBacklog: (bytes: readonly number[]) => void;
  /** Resolves once something may be written: what reads where the queue ends at present comes first. */
  readonly mayWrite: () => Promise<unknown>;
  /** Once aborted, what fails is not tried again. */
  readonly closing: AbortSignal;
}

/** Milliseconds for which what fails is tried again. */
const patience = 30_000;
/** Seconds for which a publisher is remembered after its last group: longer than anything sent may be under way. */
const rememberedSeconds = 24 * 60 * 60;
/** Entries of the stream of events that BullMQ keeps for each shard: nobody here reads it. */
const keptEvents = 100;
const jobName = 'commands';
/** What the client knows our script by. */
const publishCommand = 'macpPublish';

/**
 * Adds events as BullMQ's jobs. A group is one transaction: BullMQ's own scripts add its jobs, and behind them a script
 * of ours gives them their offsets. Said again because its answer was lost, a group changes nothing.
 */
export class JobWriter implements GroupWriter<WaitingEvent> {
  readonly #options: JobWriterOptions;
  readonly #client: IRedisClient;
  readonly #queues: readonly Queue<JobData>[];
  #groups = 0;

  private constructor(options: JobWriterOptions) {
    this.#options = options;
    const { connection, keys, shards } = options;
    this.#client = createIORedisClient(connection.client);
    this.#client.defineCommand(publishCommand, { lua: publishScript, numberOfKeys: shards + 3 });
    this.#queues = Array.from({ length: shards }, (_, shard) => {
      const queue = new Queue<JobData>(keys.queue(shard), {
        connection: this.#client,
        prefix: keys.prefix,
        streams: { events: { maxLen: keptEvents } },
      });
      // What the connection goes through is told by what is sent over it.
      queue.on('error', () => undefined);
      return queue;
    });
  }

  /** Has BullMQ get ready: what it does then it does only once. */
  static async open(options: JobWriterOptions): Promise<JobWriter> {
    const writer = new JobWriter(options);
    try {
      await Promise.all(writer.#queues.map((queue) => queue.waitUntilReady()));
      return writer;
    } catch (error) {
      await writer.close();
      throw options.connection.classify(error);
    }
  }

  /** Resolves once Redis takes what is written to it; it is asked again for a while. */
  async open(): Promise<void> {
    const { connection, keys, clock, closing } = this.#options;
    const probe = (): Promise<unknown> => connection.command('SET', keys.publisher('probe'), '', 'PX', '1000');
    await tryWithin(clock, patience, probe, closing);
  }

  async write(records: readonly WaitingRecord<WaitingEvent>[]): Promise<readonly Position[]> {
    await this.#options.mayWrite();
    this.#groups += 1;
    const batches = batchEvents(records, this.#options.batchBytes);
    const offsets = await this.#persist(batches);
    const positions: Position[] = [];
    for (const [index, { shard, records: placed }] of batches.entries()) {
      const first = offsets[index];
      if (first === undefined) throw new PersistenceError('UNEXPECTED', 'Redis told fewer offsets than there are jobs');
      for (const [at, record] of placed.entries()) positions[record] = { partition: shard, offset: first + at };
    }
    return positions;
  }

  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }

  /**
   * The offsets of the jobs. A full Redis is not asked again, and nothing is there then: whoever publishes waits for
   * room, or gives up.
   */
  async #persist(batches: readonly EventBatch[]): Promise<readonly number[]> {
    const { clock, closing } = this.#options;
    const start = clock.elapsed();
    let mayBeThere = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(batches);
      } catch (thrown) {
        const error = mayBeThere ? outcomeOpen(thrown) : thrown;
        mayBeThere ||= isPersistenceError(error, 'QUEUE_UNAVAILABLE');
        const isOver = clock.elapsed() - start >= patience || closing.aborted;
        if (isOver || !isPassing(error)) throw error;
      }
      await clock.sleep(pauseBefore(attempt), closing).catch(() => undefined);
    }
  }

  async #attempt(batches: readonly EventBatch[]): Promise<readonly number[]> {
    const { keys, id, shards, publisher, clock, onBacklog } = this.#options;
    const transaction = this.#client.multi();
    const args: string[] = [id, String(this.#groups), String(rememberedSeconds), keys.channel];
    for (const [index, { shard, events }] of batches.entries()) {
      const queue = this.#queues[shard];
      if (queue === undefined) throw new TypeError(`there is no shard ${shard}`);
      const jobId = `${publisher}-${this.#groups}-${index}`;
      const job = new Job(queue, jobName, { events }, { timestamp: clock.now() }, jobId);
      void job.addJob(transaction);
      args.push(String(shard), jobId, String(events.length));
    }
    const shardKeys = Array.from({ length: shards }, (_, shard) => keys.shard(shard));
    const queueKeys = [keys.guard, keys.change, keys.publisher(publisher), ...shardKeys];
    transaction.runCommand(publishCommand, [...queueKeys, ...args]);
    const answer = await this.#executed(transaction);
    onBacklog(answer.slice(batches.length));
    return answer.slice(0, batches.length);
  }

  /** What the last command of the transaction answered. */
  async #executed(transaction: IRedisTransaction): Promise<readonly number[]> {
    let results: Awaited<ReturnType<IRedisTransaction['exec']>>;
    try {
      results = await transaction.exec();
    } catch (error) {
      throw this.#classify(firstFailure(error));
    }
    const failed = results?.find(([error]) => error !== null);
    if (failed !== undefined) throw this.#classify(failed[0]);
    const answer: unknown = results?.at(-1)?.[1];
    if (Array.isArray(answer)) return answer.map(Number);
    if (answer === changedReply) throw changedLayout(this.#options.keys);
    if (answer === changingReply) throw changingLayout(this.#options.keys);
    throw new PersistenceError('UNEXPECTED', 'Redis took jobs back that it had taken');
  }

  /** A Redis that was started anew has forgotten its scripts: over another connection the client sends them whole. */
  #classify(error: unknown): PersistenceError {
    const { connection } = this.#options;
    if (!isUnknownScript(error)) return connection.classify(error);
    connection.reconnect();
    return new PersistenceError('QUEUE_UNAVAILABLE', `${connection.where} does not know our scripts any more`);
  }
}

/** True for what may be over soon. */
function isPassing(error: unknown): boolean {
  return isPersistenceError(error, 'QUEUE_UNAVAILABLE') || isPersistenceError(error, 'QUEUE_CHANGING');
}

/** A Redis that refuses a group for want of room has not looked whether it took it before, when its answer was lost. */
function outcomeOpen(error: unknown): unknown {
  if (!isPersistenceError(error, 'QUEUE_FULL')) return error;
  const message = `whether it was published is not known: ${error.message}`;
  return new PersistenceError('QUEUE_UNAVAILABLE', message, { cause: error });
}

/** What a transaction was discarded for: Redis itself only says that it was. */
function firstFailure(error: unknown): unknown {
  const { previousErrors } = error as { readonly previousErrors?: readonly unknown[] };
  return previousErrors?.find((previous) => previous instanceof Error) ?? error;
}
