import { ChaosProcess } from './chaos-process.ts';
import { WorkerLog, type WorkerLogs } from './worker-logs.ts';

export interface WorkersOptions {
  /** The compiled CLI. */
  readonly program: string;
  readonly standby: boolean;
  /** Settings of each worker. */
  settings(name: string): Readonly<Record<string, string>>;
  readonly logs: WorkerLogs;
}

/** One worker process. */
export interface Worker {
  readonly process: ChaosProcess;
  readonly log: WorkerLog;
  /** True once its end is no surprise. */
  isOver: boolean;
}

/** The exit code of a process for which the queue or the store cannot work at present. */
export const unavailable = 6;

/** Workers that may come and go. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #all: Worker[] = [];
  /** Those that were stopped in order to be looked at, and are to go on. */
  #held: readonly Worker[] = [];

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  start(): Worker {
    const { program, standby, settings, logs } = this.#options;
    const name = `worker ${this.#all.length + 1}`;
    const log = new WorkerLog();
    const words = [program, 'worker', ...(standby ? ['--standby'] : [])];
    const process = new ChaosProcess({
      name,
      words,
      environment: settings(name),
      onOutput: () => undefined,
      onError: (line) => logs.note(log, line),
    });
    const worker = { process, log, isOver: false };
    this.#all.push(worker);
    return worker;
  }

  /** SIGKILL. */
  async kill(worker: Worker): Promise<void> {
    worker.isOver = true;
    await worker.process.kill();
  }

  /** SIGTERM. */
  end(worker: Worker): void {
    worker.isOver = true;
    worker.process.end();
  }

  /** Starts another one for each that ended by itself; throws when it should not have. */
  supervise(): void {
    for (const worker of this.#all) {
      const { process, isOver } = worker;
      if (process.state !== 'ended' || isOver) continue;
      if (process.code !== unavailable) {
        throw new Error(`${process.name} ended with ${process.code}:\n${process.latest}`);
      }
      worker.isOver = true;
      this.start();
    }
  }

  get all(): readonly Worker[] {
    return this.#all;
  }

  /** Those that are neither ended nor stopped. */
  get running(): readonly Worker[] {
    return this.#all.filter(({ process }) => process.state === 'running');
  }

  /** Those that have the store open. */
  get working(): readonly Worker[] {
    return this.running.filter(({ log }) => log.isOpened);
  }

  /** Those that were stopped in order to be looked at. */
  get held(): readonly Worker[] {
    return this.#held;
  }

  /** Stops all that run. */
  hold(): void {
    this.#held = [...this.#held, ...this.running];
    for (const { process } of this.running) process.stop();
  }

  /** Those that were held go on, but for those that were killed meanwhile. */
  release(): void {
    for (const { process } of this.#held) if (process.state === 'stopped') process.go();
    this.#held = [];
  }

  /** This one stays stopped when the others are released. */
  leaveStopped(worker: Worker): void {
    this.#held = this.#held.filter((one) => one !== worker);
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#all.map((worker) => this.kill(worker)));
  }
}
