import { Worker as BullmqWorker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import { type BareRequest, type Consumed, consumed, persisted, written } from '../support/consumed.ts';

/** What to do with a backlog of jobs, in a process of its own, so that each has its own memory and garbage. */
export interface ConsumeRequest extends BareRequest {
  readonly how: 'worker' | 'nothing' | 'stock' | 'bare store';
  readonly port: number;
  /** The prefix of our queue, as its address has it, or of the stock one. */
  readonly prefix: string;
  readonly shards: number;
  /** The queue of the stock pattern, with one job a command. */
  readonly stockQueue: string;
}

const request = JSON.parse(process.argv[2] ?? '') as ConsumeRequest;
const ways: Readonly<Record<ConsumeRequest['how'], () => Promise<Consumed>>> = {
  worker: persist,
  nothing: () => doNothing(eachShard()),
  stock: () => doNothing([request.stockQueue]),
  'bare store': () => written(request),
};
console.log(JSON.stringify(await ways[request.how]()));

function persist(): Promise<Consumed> {
  const { port, prefix, directory } = request;
  return persisted({ queue: `bullmq://127.0.0.1:${port}/0?prefix=${prefix}`, store: `level:${directory}` });
}

function eachShard(): readonly string[] {
  return Array.from({ length: request.shards }, (_, shard) => bullmqKeys(request.prefix).queue(shard));
}

/** BullMQ's own workers, one a queue, in order, with a processor that does nothing. */
async function doNothing(queues: readonly string[]): Promise<Consumed> {
  const { prefix } = bullmqKeys(request.prefix);
  const connection = new Redis(request.port, { maxRetriesPerRequest: null });
  let start: number | undefined;
  let seen = 0;
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const processor = async ({ data }: Job<{ readonly events: readonly unknown[] }>): Promise<void> => {
    start ??= performance.now();
    seen += data.events.length;
    if (seen >= request.commands) done();
  };
  const removal = { removeOnComplete: { count: 0 } };
  const workers = queues.map((queue) => new BullmqWorker(queue, processor, { connection, prefix, ...removal }));
  await finished;
  const result = consumed(seen, start);
  await Promise.all(workers.map((worker) => worker.close(true)));
  connection.disconnect();
  return result;
}
