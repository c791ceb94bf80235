import { Worker as BullmqWorker, type Job } from 'bullmq';
import { ClassicLevel } from 'classic-level';
import { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import { type BareRequest, type Consumed, consumed, persisted, written } from '../support/consumed.ts';

/** What to do with a backlog of jobs, in a process of its own, so that each has its own memory and garbage. */
export interface ConsumeRequest extends BareRequest {
  readonly how: 'worker' | 'archiving worker' | 'nothing' | 'stock' | 'stock, nothing done' | 'bare store';
  readonly port: number;
  /** The prefix of our queue, as its address has it, or of the stock one. */
  readonly prefix: string;
  /** Where a worker archives what it consumes. */
  readonly archive: string;
  readonly shards: number;
  /** The queue of the stock pattern, with one job a command. */
  readonly stockQueue: string;
}

const request = JSON.parse(process.argv[2] ?? '') as ConsumeRequest;
const ways: Readonly<Record<ConsumeRequest['how'], () => Promise<Consumed>>> = {
  worker: () => persist({}),
  'archiving worker': () => persist({ 'bullmq-archive': request.archive }),
  nothing: () => consume(eachShard(), async () => undefined),
  stock: stockPersisted,
  'stock, nothing done': () => consume([request.stockQueue], async () => undefined),
  'bare store': () => written(request),
};
console.log(JSON.stringify(await ways[request.how]()));

function persist(more: Readonly<Record<string, string>>): Promise<Consumed> {
  const { port, prefix, directory } = request;
  return persisted({ ...more, queue: `bullmq://127.0.0.1:${port}/0?prefix=${prefix}`, store: `level:${directory}` });
}

function eachShard(): readonly string[] {
  return Array.from({ length: request.shards }, (_, shard) => bullmqKeys(request.prefix).queue(shard));
}

interface JobData {
  readonly events: readonly { readonly id: string; readonly data: string }[];
}

/** What one would write first: each job's processor puts its one entry into the database, synced. */
async function stockPersisted(): Promise<Consumed> {
  const database = new ClassicLevel(request.directory);
  await database.open();
  const result = await consume([request.stockQueue], async ({ events }) => {
    for (const { id, data } of events) await database.put(id, data, { sync: true });
  });
  await database.close();
  return result;
}

/** BullMQ's own workers, one a queue, in order, concurrency 1. */
async function consume(queues: readonly string[], done: (data: JobData) => Promise<void>): Promise<Consumed> {
  const { prefix } = bullmqKeys(request.prefix);
  const connection = new Redis(request.port, { maxRetriesPerRequest: null });
  let start: number | undefined;
  let seen = 0;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const processor = async ({ data }: Job<JobData>): Promise<void> => {
    start ??= performance.now();
    await done(data);
    seen += data.events.length;
    if (seen >= request.commands) finish();
  };
  const removal = { removeOnComplete: { count: 0 } };
  const workers = queues.map((queue) => new BullmqWorker(queue, processor, { connection, prefix, ...removal }));
  await finished;
  const result = consumed(seen, start);
  await Promise.all(workers.map((worker) => worker.close(true)));
  connection.disconnect();
  return result;
}
