import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Ending, type ProgramOptions, startProgram } from './program.ts';

/** A line of a log, as its JSON says it. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A `macp-persist` that goes on until it is told to stop, and what it says. */
export class RunningProgram implements AsyncDisposable {
  /** Resolves when it has ended and everything that it said was read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #said: string[] = [];
  #stdout = '';
  #changed: (() => void)[] = [];

  constructor(words: readonly string[], options: ProgramOptions = {}) {
    this.#child = startProgram(words, options);
    this.#child.stdin.end();
    this.#child.stdout.on('data', (text) => {
      this.#stdout += text;
    });
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#said.push(line);
      this.#tell();
    });
    this.ended = once(this.#child, 'close').then(() => {
      this.#tell();
      return { code: this.#child.exitCode, stdout: this.#stdout, stderr: this.said };
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Everything that it said on standard error until now. */
  get said(): string {
    return this.#said.map((line) => `${line}\n`).join('');
  }

  /** The lines of its log until now. */
  get log(): readonly LogLine[] {
    return this.#said.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }

  /** The partitions that it works on, as it last told. */
  get partitions(): readonly number[] {
    const owned = new Set<number>();
    for (const { msg, partitions } of this.log) {
      if (!Array.isArray(partitions)) continue;
      for (const partition of partitions) {
        if (msg === 'working on these partitions') owned.add(partition);
        if (msg === 'working on these partitions no more') owned.delete(partition);
      }
    }
    return [...owned];
  }

  /** Resolves once `condition` holds, which is asked whenever it said something. Rejects when it ends before. */
  async until(condition: (program: RunningProgram) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        const { code, stderr } = await this.ended;
        if (condition(this)) return;
        throw new Error(`it ended with ${code} before:\n${stderr}`);
      }
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Resolves once it has logged this sentence. */
  untilLogged(sentence: string): Promise<void> {
    return this.until(({ log }) => log.some(({ msg }) => msg === sentence));
  }

  /** Where its API listens, once it does. */
  async url(): Promise<string> {
    await this.until(({ said }) => said.includes('Listening at '));
    return /Listening at (http\S+);/.exec(this.said)?.[1] ?? '';
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.#child.kill(signal);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }

  #tell(): void {
    for (const tell of this.#changed.splice(0)) tell();
  }
}
