import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../checker/check.ts';
import type { Story } from '../workload/story.ts';
import { Chaos } from './chaos.ts';
import { ChaosProcess } from './chaos-process.ts';
import type { ChaosQueue } from './chaos-queues.ts';
import type { ChaosStore } from './chaos-stores.ts';
import { Counts } from './counts.ts';
import { brokerAway, type Disturbance } from './disturbances.ts';
import { type Character, Publishers } from './publishers.ts';
import type { Report } from './report.ts';
import { WorkerLogs } from './worker-logs.ts';
import { unavailable, Workers } from './workers.ts';

export interface RunOptions {
  readonly story: Story;
  /** What may happen: all of it once, in an order that the seed gives. */
  readonly disturbances: readonly Disturbance[];
  /** Whether it goes on happening, by chance, while commands are left; else the rest is published undisturbed. */
  readonly isEndless: boolean;
  readonly characters: readonly Character[];
  /** Worker processes at a time. */
  readonly workers: number;
  readonly queue: ChaosQueue;
  readonly store: ChaosStore;
  /** Commands that are published before each disturbance. */
  readonly burst: number;
  /** Milliseconds for which the queue is away once. */
  readonly away: number;
  /** The compiled programs. */
  readonly programs: string;
  /** Of this run alone. */
  readonly directory: string;
  readonly onProgress: (text: string) => void;
  /** Aborted when the run has taken too long. */
  readonly signal: AbortSignal;
}

/** Publishes a whole story, disturbs everybody who has to do with it, and looks at what became of it. */
export async function run(options: RunOptions): Promise<Report> {
  const { story, queue, store, programs, directory, characters, onProgress } = options;
  const start = performance.now();
  const ledgers = join(directory, 'ledgers');
  mkdirSync(ledgers, { recursive: true });
  const settings = {
    ...queue.settings,
    MACP_PERSIST_STORE: store.address,
    MACP_PERSIST_DATA_DIR: join(directory, 'data'),
    // Many commits, so that there is much to be interrupted.
    MACP_PERSIST_WORKER_BATCH_COMMANDS: '100',
    MACP_PERSIST_LOG_LEVEL: 'debug',
  };
  const cli = join(programs, 'src/cli/main.js');
  if (queue.needsInit) await initialize(cli, settings);
  const counts = new Counts();
  const logs = new WorkerLogs(counts);
  const workers = new Workers({ program: cli, standby: store.isExclusive, settings: () => settings, logs });
  const publishers = new Publishers({
    program: join(programs, 'test/chaos/workload/publisher-program.js'),
    story,
    characters,
    settings,
    directory: ledgers,
    counts,
  });
  const chaos = new Chaos({
    seed: story.seed,
    queue,
    store,
    workers,
    publishers,
    logs,
    counts,
    burst: options.burst,
    signal: options.signal,
  });
  try {
    for (let index = 0; index < options.workers; index += 1) workers.start();
    for (const publisher of publishers.all) publishers.start(publisher);
    await disturb(chaos, options);
    const batches = await finish(chaos);
    const { rebalances } = queue.group();
    await workers.killAll();
    onProgress('reading queue and store');
    const records = await queue.read();
    const verdict = check({ records, stored: await store.read(), acknowledged: publishers.ledgered() });
    return { verdict, counts, batches, rebalances, seconds: Math.round((performance.now() - start) / 1000) };
  } finally {
    await Promise.all([workers.killAll(), publishers.killAll()]);
  }
}

/** Makes the topics, as an operator does: a broker that has just started may not be able to yet. */
async function initialize(cli: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const nobody = (): void => undefined;
  const words = [cli, 'init'];
  for (;;) {
    const process = new ChaosProcess({ name: 'init', words, environment: settings, onOutput: nobody, onError: nobody });
    await process.ended;
    if (process.code === 0) return;
    if (process.code !== unavailable) throw new Error(`init ended with ${process.code}:\n${process.latest}`);
  }
}

async function disturb(chaos: Chaos, { disturbances, isEndless, away, burst, onProgress }: RunOptions): Promise<void> {
  const { publishers } = chaos.parts;
  const due = [...disturbances, brokerAway(away)];
  while (due.length > 0 || (isEndless && publishers.left > burst * mostBursts)) {
    const next =
      due.length > 0 ? (due.splice(chaos.random.below(due.length), 1)[0] as Disturbance) : chaos.pick(disturbances);
    onProgress(`${next.name} (${publishers.left} commands left)`);
    await next.happen(chaos);
  }
}

/** A disturbance takes no more bursts than this. */
const mostBursts = 6;

/**
 * Everybody works once more, the story is told to its end, and the store holds all of it. Resolves with how many batches
 * each of the workers committed of that.
 */
async function finish(chaos: Chaos): Promise<readonly number[]> {
  const { workers, publishers, store } = chaos.parts;
  await chaos.ready();
  await chaos.getAhead();
  const lasting = workers.held;
  const before = new Map(lasting.map((worker) => [worker, worker.log.batches]));
  const worked = () => lasting.map((worker) => worker.log.batches - (before.get(worker) ?? 0));
  workers.release();
  await chaos.until('every worker to work once more', () => {
    return store.isExclusive ? Math.max(...worked()) > 0 : Math.min(...worked()) > 0;
  });
  publishers.allow(publishers.left);
  await chaos.until('every publisher to be done', () => publishers.all.every(({ isDone }) => isDone));
  await chaos.recovered();
  if (store.isExclusive) for (const worker of workers.running) workers.end(worker);
  await chaos.until('the store to be caught up with the queue', () => chaos.isCaughtUp());
  return worked();
}
