import { Worker as BullmqWorker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { createLogger, Worker } from '../../src/compose/worker.ts';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import { type BareOptions, bareBatches } from '../support/bare.ts';
import { keyedEntries, sessionIds } from '../support/entries.ts';
import { valuesOf } from '../support/pipeline.ts';

/** What to do with a backlog of jobs, in a process of its own, so that each has its own memory and garbage. */
export interface ConsumeRequest {
  readonly how: 'worker' | 'nothing' | 'stock' | 'bare store';
  readonly port: number;
  /** The prefix of our queue, as its address has it, or of the stock one. */
  readonly prefix: string;
  readonly shards: number;
  /** The queue of the stock pattern, with one job a command. */
  readonly stockQueue: string;
  /** How many commands wait, and of how many sessions. */
  readonly commands: number;
  readonly sessions: number;
  /** Where a store may be made. */
  readonly directory: string;
  /** For the bare store. */
  readonly options: BareOptions;
}

export interface Consumed {
  readonly commands: number;
  /** From the first job until the last command is done with. */
  readonly seconds: number;
}

const request = JSON.parse(process.argv[2] ?? '') as ConsumeRequest;
const ways: Readonly<Record<ConsumeRequest['how'], () => Promise<Consumed>>> = {
  worker: persist,
  nothing: () => doNothing(eachShard()),
  stock: () => doNothing([request.stockQueue]),
  'bare store': writeOnly,
};
console.log(JSON.stringify(await ways[request.how]()));

async function persist(): Promise<Consumed> {
  const { port, prefix, directory } = request;
  const queue = `bullmq://127.0.0.1:${port}/0?prefix=${prefix}`;
  const values = valuesOf({ queue, store: `level:${directory}`, 'log-level': 'error' });
  await using worker = await Worker.open({ values, logger: createLogger(values) });
  let start: number | undefined;
  worker.pipeline.once('taken', () => {
    start = performance.now();
  });
  const { tally } = await worker.runUntilCaughtUp(new AbortController().signal);
  return consumed(tally.applied, start);
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

async function writeOnly(): Promise<Consumed> {
  const { directory, options, sessions, commands } = request;
  const entries = keyedEntries(sessionIds(sessions), commands);
  const start = performance.now();
  return consumed(await bareBatches(directory, options, entries, 512), start);
}

function consumed(commands: number, start: number | undefined): Consumed {
  return { commands, seconds: (performance.now() - (start ?? Number.NaN)) / 1000 };
}
