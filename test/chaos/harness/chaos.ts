import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../power-cut/random.ts';
import { mostUnacknowledged } from '../workload/orders.ts';
import { type ChaosQueue, partitions } from './chaos-queues.ts';
import type { ChaosStore } from './chaos-stores.ts';
import type { Counts } from './counts.ts';
import type { Publisher, Publishers } from './publishers.ts';
import type { WorkerLogs } from './worker-logs.ts';
import type { Worker, Workers } from './workers.ts';

export interface ChaosParts {
  readonly seed: number;
  readonly queue: ChaosQueue;
  readonly store: ChaosStore;
  readonly workers: Workers;
  readonly publishers: Publishers;
  readonly logs: WorkerLogs;
  readonly counts: Counts;
  /** How many commands are to be published at least before each disturbance. */
  readonly burst: number;
  /** Aborted when the run has taken too long. */
  readonly signal: AbortSignal;
}

/** How many commands are acknowledged and not persisted at every kill, at least. */
export const leastInFlight = 1_000;
const pollMilliseconds = 3;

/**
 * One run of chaos, in terms of what is done and what is waited for. Nothing is timed: whoever does not come to life
 * again keeps the run waiting until it is given up, and then it is told what was waited for.
 */
export class Chaos {
  readonly parts: ChaosParts;
  readonly random: Random;
  constructor(parts: ChaosParts) {
    this.parts = parts;
    this.random = new Random(parts.seed);
  }

  /** Waits for `condition`, and all the while for processes that end by themselves. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const { workers, signal } = this.parts;
    while (!(await condition())) {
      try {
        if (signal.aborted) throw new Error(`given up:\n${this.#state()}`);
        workers.supervise();
        this.#refuseEndedPublishers();
      } catch (cause) {
        throw new Error(`waiting for ${what}`, { cause });
      }
      await sleep(pollMilliseconds);
    }
  }

  /** One of the items, by chance. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.random.below(items.length)];
    if (item === undefined) throw new Error('there is nothing to choose from');
    return item;
  }

  /** Acknowledged commands that are not persisted. Whoever has an exclusive store open is stopped. */
  async inFlight(): Promise<number> {
    const { store, publishers } = this.parts;
    return publishers.beyond(await store.positions());
  }

  /**
   * Lets the publishers send more, and holds the workers until enough of it is in flight for a kill. The publishers may
   * still be at work then.
   */
  async getAhead(): Promise<void> {
    const { workers, publishers, logs, burst } = this.parts;
    workers.hold();
    publishers.allow(burst);
    await this.until('publishers to get ahead', () => publishers.beyond(logs.persisted) >= burst * 0.8);
  }

  /** Waits until so many more are acknowledged, of which publishers have more to send. */
  async untilAcknowledged(more: number): Promise<void> {
    const { publishers } = this.parts;
    const goal = publishers.acknowledged + more;
    await this.until('publishers at work', () => publishers.acknowledged >= goal);
  }

  /** The broker does not answer: gives every publisher more than it sends without that, until none sends any more. */
  async untilPublishersWait(): Promise<void> {
    const { publishers } = this.parts;
    publishers.allow(publishers.all.length * (mostUnacknowledged + 1));
    await this.until('publishers to wait for the broker', () => publishers.all.every(({ isWaiting }) => isWaiting));
  }

  /**
   * Brings the workers into the midst of their work and stops them there, all of them, with at least
   * {@link leastInFlight} commands in flight. Resolves with how many there are.
   */
  async midway(): Promise<number> {
    const { workers, logs, burst } = this.parts;
    await this.ready();
    for (;;) {
      await this.getAhead();
      const goal = logs.committed + this.random.below(burst / 4);
      workers.release();
      await this.until('workers at work', () => logs.committed >= goal);
      workers.hold();
      const inFlight = await this.inFlight();
      // A margin: what a worker has sent to the store just before it was stopped may still be carried out.
      if (inFlight >= leastInFlight * 1.3) return inFlight;
    }
  }

  /** Notes a kill. The workers are held. */
  async noteKill(kind: keyof Counts['kills'], inFlight?: number): Promise<void> {
    const { counts } = this.parts;
    counts.kills[kind] += 1;
    counts.inFlight.push(inFlight ?? (await this.inFlight()));
  }

  async killWorker(worker: Worker): Promise<void> {
    await this.parts.workers.kill(worker);
    await this.noteKill('workers');
  }

  /** Another life of a publisher, which is ready once it knows where it stands. */
  async restart(publisher: Publisher): Promise<void> {
    this.parts.publishers.start(publisher);
    await this.until(`publisher ${publisher.index} to be ready`, () => publisher.isReady);
  }

  /** Every worker that runs has its part of the work, and every publisher is ready. */
  async ready(): Promise<void> {
    const { workers, publishers, store } = this.parts;
    await this.until('every worker to have its part', () => {
      if (store.isExclusive) return workers.working.some(({ log }) => log.partitions.size > 0);
      return workers.running.every(({ log }) => log.partitions.size > 0);
    });
    await this.until('every publisher to be ready', () => publishers.all.every(({ isReady }) => isReady));
  }

  /** Everything that was allowed to be sent so far is acknowledged and persisted. */
  async recovered(): Promise<void> {
    const { publishers, logs } = this.parts;
    await this.until('acknowledgements', () => publishers.all.every((one) => publishers.hasSent(one)));
    await this.until('the store to have everything', () => publishers.beyond(logs.persisted) === 0);
  }

  /** True once the store's positions stand at the end of the queue. */
  async isCaughtUp(): Promise<boolean> {
    const { queue, store } = this.parts;
    const ends = await queue.ends();
    const positions = await store.positions();
    return [...ends].every(([partition, end]) => end === (positions.get(partition) ?? 0));
  }

  /** Resolves once the group has given up whoever is stopped: others have its partitions, or nobody is left. */
  async untilGivenUp(): Promise<void> {
    const { store, workers } = this.parts;
    await this.until('the group to give up a silent worker', () => {
      if (store.isExclusive) return this.parts.queue.group().isEmpty;
      return new Set(workers.running.flatMap(({ log }) => [...log.partitions])).size === partitions;
    });
  }

  /** Who is alive, and what each has come to. */
  #state(): string {
    const { workers, publishers, logs } = this.parts;
    const alive = workers.all.filter(({ process }) => process.state !== 'ended');
    return [
      `in flight: ${publishers.beyond(logs.persisted)}, acknowledged: ${publishers.acknowledged} of ${publishers.allowed}`,
      ...publishers.all.map(
        ({ process, isReady, isWaiting, acknowledged }) =>
          `${process?.name} is ${process?.state}${isReady ? ', ready' : ''}${isWaiting ? ', waits' : ''}, ${acknowledged} acknowledged\n${process?.latest}`,
      ),
      ...alive.map(({ process: { name, state, latest }, log: { partitions, committed } }) =>
        [`${name} is ${state}, works on ${[...partitions]}, has committed ${committed}`, latest].join('\n'),
      ),
    ].join('\n');
  }

  #refuseEndedPublishers(): void {
    for (const { process, isDone } of this.parts.publishers.all) {
      if (process?.state !== 'ended' || process.code === null || isDone) continue;
      throw new Error(`${process.name} ended with ${process.code}:\n${process.latest}`);
    }
  }
}
