import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, type Verdict } from '../checker/check.ts';
import type { BullmqChaosQueue, ChaosQueue } from '../harness/chaos-queues.ts';
import type { ChaosStore } from '../harness/chaos-stores.ts';
import { Counts } from '../harness/counts.ts';
import { Publishers } from '../harness/publishers.ts';
import { WorkerLogs } from '../harness/worker-logs.ts';
import { unavailable } from '../harness/workers.ts';
import type { Story } from '../workload/story.ts';
import type { Points } from './points.ts';
import { Victim } from './victim.ts';

export interface StoppingRunOptions {
  readonly queue: BullmqChaosQueue;
  readonly store: ChaosStore;
  readonly story: Story;
  /** The instrumented programs, and those that are as they were. */
  readonly instrumented: string;
  readonly programs: string;
  /** Of this run alone. */
  readonly directory: string;
  /** Where whoever stops says so; runs side by side share it, and what is left to be stopped at. */
  readonly claims: string;
  readonly points: Points;
  /** How many workers stop, each from its beginning to its end, one life after another. */
  readonly victims: number;
  /** Told every stop. */
  readonly onStopped: (point: string) => void;
  /** Aborted when another run has failed. */
  readonly signal: AbortSignal;
}

/** What became of a run, and how often a worker that had slept found that others had gone on. */
export interface StoppingReport {
  readonly verdict: Verdict;
  readonly outrun: number;
}

const lookInterval = 20;
const lease = 1_000;
/** Milliseconds after which Redis has carried out whatever a worker sent before it was stopped. */
const underWay = 100;
/** What a worker ends with that was asked to, or that found no Redis when it started. */
const ends: readonly (number | null)[] = [0, unavailable];
/** Looks between two outages, and milliseconds that one takes. */
const outageInterval = 100;
const outage = 500;
/** Commands that are published at each look, unless so many jobs wait. */
const trickle = 8;
const plenty = 300;
/** Deliveries that a worker commits without coming to anything new, and then is asked to end. */
const livedLong = 100;
/** Most milliseconds for which a worker may get nowhere, and for which everything may take to be persisted at the end. */
const patience = 60_000;
/** Milliseconds in which a worker says what it awaits. */
const answerTime = 500;

/**
 * Workers stop themselves at one await after another, and go on once the group has given them up and others, where the
 * store is shared, have done their work; meanwhile somebody publishes. Ends when there is nothing more to stop at.
 * Whatever does not come about fails the run, which then says what everybody does.
 */
export async function stoppingRun(options: StoppingRunOptions): Promise<StoppingReport> {
  const run = new StoppingRun(options);
  try {
    await run.disturb();
    await run.finish();
    const records = await options.queue.read();
    const verdict = check({ records, stored: await options.store.read(), acknowledged: run.publishers.ledgered() });
    return { verdict, outrun: run.counts.outrun };
  } catch (cause) {
    options.signal.throwIfAborted();
    throw new Error(`${cause instanceof Error ? cause.message : cause}\n${await run.state()}`, { cause });
  } finally {
    await run.killAll();
  }
}

class StoppingRun {
  readonly counts = new Counts();
  readonly publishers: Publishers;
  readonly #options: StoppingRunOptions;
  readonly #logs = new WorkerLogs(this.counts);
  readonly #settings: Readonly<Record<string, string>>;
  /** Those that stop, and one that takes over from them where the store is shared. */
  #workers: readonly Victim[];
  /** Those that have ended included. */
  readonly #started: Victim[] = [];
  #isFinishing = false;

  constructor(options: StoppingRunOptions) {
    this.#options = options;
    const { queue, store, story, programs, directory, victims, claims } = options;
    const ledgers = join(directory, 'ledgers');
    mkdirSync(ledgers, { recursive: true });
    this.#settings = {
      ...queue.settings,
      MACP_PERSIST_BULLMQ_LEASE: `${lease}ms`,
      MACP_PERSIST_STORE: store.address,
      MACP_PERSIST_DATA_DIR: join(directory, 'data'),
      MACP_PERSIST_WORKER_BATCH_COMMANDS: '20',
      MACP_PERSIST_WORKER_CACHED_SESSIONS: '10',
      MACP_PERSIST_LOG_LEVEL: 'debug',
      // It is stopped again and again while it ends.
      MACP_PERSIST_SERVICE_DRAIN_DEADLINE: '15m',
    };
    this.publishers = new Publishers({
      program: join(programs, 'test/chaos/workload/publisher-program.js'),
      story,
      characters: [{ manner: 'repeats', fences: false }],
      settings: this.#settings,
      directory: ledgers,
      counts: this.counts,
    });
    for (const publisher of this.publishers.all) this.publishers.start(publisher);
    const steady = store.isExclusive ? [] : [undefined];
    this.#workers = [...steady, ...Array<string>(victims).fill(claims)].map((each) => this.#start(each));
  }

  async disturb(): Promise<void> {
    const { points, queue, store } = this.#options;
    for (let look = 1; !points.areAllMade; look += 1) {
      // What is tried again is awaited as well.
      if (look % outageInterval === 0)
        await this.#restart(look % (2 * outageInterval) === 0 ? queue : (store.server ?? queue));
      points.refuseStandstill();
      if (this.publishers.left > trickle && (await queue.waiting()) < plenty) this.publishers.allow(trickle);
      await this.#lookAtAll();
    }
  }

  /** Everybody goes on undisturbed until everything that was acknowledged is persisted. */
  async finish(): Promise<void> {
    const { queue } = this.#options;
    this.#isFinishing = true;
    const start = performance.now();
    const isAllSent = (): boolean => this.publishers.all.every((publisher) => this.publishers.hasSent(publisher));
    const isAnyAsleep = (): boolean => this.#workers.some(({ stoppedAt }) => stoppedAt !== undefined);
    while (!isAllSent() || isAnyAsleep() || (await queue.waiting()) > 0) {
      if (performance.now() - start > patience)
        throw new Error(`${await queue.waiting()} jobs wait, ${patience / 1_000} s after the last disturbance`);
      await this.#lookAtAll();
    }
    await this.killAll();
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#started.map(({ process }) => process.kill()), this.publishers.killAll()]);
  }

  /** What everybody does. */
  async state(): Promise<string> {
    for (const worker of this.#workers) if (worker.isRunning) worker.tell();
    await sleep(answerTime);
    const { acknowledged, allowed, all } = this.publishers;
    const publishers = all.map(
      ({ process }) => `${process?.name} (${process?.state}): ${process?.latest.split('\n').at(-1)}`,
    );
    const sent = `${acknowledged} of ${allowed} commands are acknowledged`;
    return [sent, ...publishers, ...this.#workers.map(({ state }) => state)].join('\n');
  }

  #start(claims: string | undefined): Victim {
    const { instrumented, onStopped, store } = this.#options;
    const worker = new Victim({
      name: `worker ${this.#started.length + 1}`,
      stopper: join(instrumented, 'test/chaos/awaits/stopping-program.js'),
      cli: join(instrumented, 'src/cli/main.js'),
      settings: this.#settings,
      logs: this.#logs,
      claims,
      // Nobody takes anything away where nobody else can open the store.
      tellsWorkApart: !store.isExclusive,
      onStopped,
    });
    this.#started.push(worker);
    return worker;
  }

  async #restart(server: Pick<ChaosQueue, 'kill' | 'restart'>): Promise<void> {
    await server.kill();
    await sleep(outage);
    await server.restart();
  }

  async #lookAtAll(): Promise<void> {
    this.#options.signal.throwIfAborted();
    for (const { process } of this.publishers.all) {
      if (process?.state === 'ended') throw new Error(`${process.name} ended with ${process.code}`);
    }
    this.#workers = await Promise.all(this.#workers.map((worker) => this.#look(worker)));
    await sleep(lookInterval);
  }

  /** What is due with this one now; the one that goes on for it. */
  async #look(worker: Victim): Promise<Victim> {
    const { process, stoppedAt, claims } = worker;
    if (process.state === 'ended') {
      if (!ends.includes(process.code)) throw new Error(`${process.name} ended with ${process.code}`);
      return this.#start(claims);
    }
    if (performance.now() - worker.movedAt > patience)
      throw new Error(`${process.name} ${stoppedAt === undefined ? 'gets nowhere' : 'is not given up'}`);
    if (stoppedAt !== undefined) {
      if (worker.isAsleep && (await this.#isGivenUp(worker))) {
        this.#options.points.note(stoppedAt);
        worker.go(!this.#options.store.isExclusive);
      }
    } else if (claims !== undefined && worker.committed > livedLong && !this.#isFinishing) worker.end();
    return worker;
  }

  /** The group has given it up; where others can, they work on everything that it worked on. */
  async #isGivenUp({ held, log, movedAt }: Victim): Promise<boolean> {
    const { store, queue } = this.#options;
    // It is not in the group yet.
    if (!log.isOpened) return true;
    const slept = performance.now() - movedAt;
    if (store.isExclusive) return slept > underWay && !(await queue.hasMembers());
    if (slept < lease) return false;
    const others = new Set(
      this.#workers.filter(({ isRunning }) => isRunning).flatMap(({ log }) => [...log.partitions]),
    );
    return held.every((partition) => others.has(partition)) && (await queue.isOwned());
  }
}
