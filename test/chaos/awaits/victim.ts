import { ChaosProcess } from '../harness/chaos-process.ts';
import { WorkerLog, type WorkerLogs } from '../harness/worker-logs.ts';
import type { Order, Said } from './orders.ts';

export interface VictimOptions {
  readonly name: string;
  /** The program that is loaded first, and the CLI. */
  readonly stopper: string;
  readonly cli: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly logs: WorkerLogs;
  /** Where whoever stops says so; undefined for one that never does. */
  readonly claims: string | undefined;
  /** Whether stops while it works on shards and stops while it does not are two things. */
  readonly tellsWorkApart: boolean;
  readonly onStopped: (point: string) => void;
}

/** A worker process that stops itself at its awaits. */
export class Victim {
  readonly process: ChaosProcess;
  readonly log = new WorkerLog();
  readonly claims: string | undefined;
  /** Where it stands stopped. */
  stoppedAt: string | undefined;
  /** What it worked on when it stopped. */
  held: readonly number[] = [];
  /** When it was last known to get anywhere: it started, committed, stopped, or went on. By `performance.now()`. */
  movedAt = performance.now();
  #committed = 0;
  readonly #tellsWorkApart: boolean;
  #isAtWork = false;
  #isEnding = false;
  #pending: string | undefined;

  constructor({ name, stopper, cli, settings, logs, claims, tellsWorkApart, onStopped }: VictimOptions) {
    this.claims = claims;
    this.#tellsWorkApart = tellsWorkApart;
    this.process = new ChaosProcess({
      name,
      words: ['--import', stopper, cli, 'worker'],
      environment: claims === undefined ? settings : { ...settings, AWAITS_CLAIMS: claims },
      onOutput: () => undefined,
      onError: (line) => this.#hear(line, logs, onStopped),
    });
  }

  get isRunning(): boolean {
    return this.stoppedAt === undefined && this.process.state === 'running';
  }

  /** Stopped, and so far that it can be woken: what it says comes before. */
  get isAsleep(): boolean {
    return this.stoppedAt !== undefined && this.process.isSuspended;
  }

  /** Deliveries that it has committed since it went on. */
  get committed(): number {
    return this.log.committed - this.#committed;
  }

  /** Goes on from where it was stopped. `isBereft`: others have what it worked on, and it is to find that out by itself. */
  go(isBereft: boolean): void {
    this.stoppedAt = undefined;
    this.movedAt = performance.now();
    this.#committed = this.log.committed;
    if (isBereft) this.log.partitions = new Set();
    this.process.go();
  }

  /** Asks it to end, once: asked again it would end at once. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.movedAt = performance.now();
    this.process.end();
  }

  /** Has it say what it awaits; see {@link state}. */
  tell(): void {
    this.#order('tell');
  }

  /** What there is to know of it. */
  get state(): string {
    const { process, log, stoppedAt, held } = this;
    const silence = Math.round((performance.now() - this.movedAt) / 1_000);
    return [
      `${process.name} (${process.state}, ${process.systemState}${this.#isEnding ? ', asked to end' : ''}) has moved ${silence} s ago`,
      `  works on ${[...log.partitions]}, has committed ${log.committed}`,
      ...(stoppedAt === undefined ? [] : [`  stopped at ${stoppedAt}, worked on ${held}`]),
      ...(this.#pending === undefined ? [] : [`  awaits ${this.#pending}`]),
      ...process.latest.split('\n').map((line) => `  | ${line}`),
    ].join('\n');
  }

  #hear(line: string, logs: WorkerLogs, onStopped: (point: string) => void): void {
    const said: Said | { readonly msg?: undefined } = line.startsWith('{') ? JSON.parse(line) : {};
    if (said.msg === 'awaits') this.#pending = JSON.stringify(said.pending, undefined, 2);
    else if (said.msg === 'stops at an await') {
      this.stoppedAt = said.point;
      this.held = [...this.log.partitions];
      this.movedAt = performance.now();
      onStopped(said.point);
    } else {
      const { committed } = this.log;
      logs.note(this.log, line);
      if (this.log.committed > committed) this.movedAt = performance.now();
      this.#sayWhetherAtWork();
    }
  }

  #sayWhetherAtWork(): void {
    const isAtWork = this.log.partitions.size > 0;
    if (isAtWork === this.#isAtWork || !this.#tellsWorkApart) return;
    this.#isAtWork = isAtWork;
    this.#order(isAtWork ? 'works' : 'works on nothing');
  }

  #order(order: Order): void {
    this.process.say(order);
  }
}
