import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Milliseconds after which whatever is waited for is not coming any more. */
const patience = 120_000;

/** What a worker logs, as far as it is read here. */
interface LogLine {
  readonly msg?: string;
  readonly partitions?: readonly number[];
  /** By partition the offset behind what was committed. */
  readonly next?: Readonly<Record<string, number>>;
}

/** `macp-persist worker` in a process of its own: what it works on, and what it has committed since one asked. */
export class WorkerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #partitions = new Set<number>();
  #committed = new Set<number>();

  constructor(flags: readonly string[]) {
    const child = spawn(process.execPath, [cli, 'worker', '--log-level', 'debug', ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#exited = once(child, 'exit');
    createInterface({ input: child.stderr }).on('line', (line) => this.#note(line));
  }

  get partitions(): readonly number[] {
    return [...this.#partitions];
  }

  /** Forgets what was committed up to now. */
  forget(): void {
    this.#committed = new Set();
  }

  /** True when something of each of these was committed. */
  hasCommitted(partitions: readonly number[]): boolean {
    return partitions.every((partition) => this.#committed.has(partition));
  }

  /** Ends it, and waits until it has ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end('SIGKILL');
  }

  #note(line: string): void {
    // Beside its log it says a word or two to people.
    if (!line.startsWith('{')) return;
    const { msg, partitions = [], next = {} } = JSON.parse(line) as LogLine;
    if (msg === 'working on these partitions') for (const one of partitions) this.#partitions.add(one);
    if (msg === 'working on these partitions no more') for (const one of partitions) this.#partitions.delete(one);
    if (msg === 'committed') for (const one of Object.keys(next)) this.#committed.add(Number(one));
  }
}

/** Resolves once `condition` holds, with the milliseconds that it took; looked at every few milliseconds. */
export async function until(what: string, condition: () => boolean): Promise<number> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > patience) throw new Error(`${what}: not within ${patience} ms`);
    await delay(5);
  }
  return performance.now() - start;
}
