import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { endingWithUs } from '../../../scripts/services/server.mjs';

export interface ProcessOptions {
  readonly name: string;
  /** The program and its words. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Told each line of standard output and of standard error. */
  readonly onOutput: (line: string) => void;
  readonly onError: (line: string) => void;
}

const kept = 30;
/** The environment without anybody's own settings. */
const cleanEnvironment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MACP_')));

/**
 * A process that is meant to be treated badly:
 *
 *     running <-> stopped          SIGSTOP and SIGCONT
 *        |           |
 *        +-----------+--> ended    by itself, or by SIGTERM or SIGKILL
 */
export class ChaosProcess {
  readonly name: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #latest: string[] = [];
  #isStopped = false;
  #isEnded = false;

  constructor({ name, words, environment, onOutput, onError }: ProcessOptions) {
    this.name = name;
    // One that is stopped would else outlive whoever started it.
    const [program, ...parameters] = endingWithUs([process.execPath, ...words]);
    this.#child = spawn(program, parameters, {
      env: { ...cleanEnvironment, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#isEnded = true;
        resolve();
      });
    });
    const { stdin, stdout, stderr } = this.#child;
    // One that was killed does not read any more.
    stdin?.on('error', () => undefined);
    const hear = (input: NodeJS.ReadableStream | null, tell: (line: string) => void): void => {
      if (input === null) throw new TypeError('the streams of the process are pipes');
      createInterface({ input }).on('line', (line) => {
        this.#latest.push(line);
        if (this.#latest.length > kept) this.#latest.shift();
        tell(line);
      });
    };
    hear(stdout, onOutput);
    hear(stderr, onError);
  }

  get state(): 'running' | 'stopped' | 'ended' {
    if (this.#isEnded) return 'ended';
    return this.#isStopped ? 'stopped' : 'running';
  }

  /** What it exited with; null for one that a signal ended, or that has not ended. */
  get code(): number | null {
    return this.#child.exitCode;
  }

  /** What it said last. */
  get latest(): string {
    return this.#latest.join('\n');
  }

  /** Whether the system says that it is stopped, whoever stopped it. */
  get isSuspended(): boolean {
    return this.systemState.startsWith('T');
  }

  /** What the system says that it does, and in which call; nothing once it is gone. */
  get systemState(): string {
    const read = (file: string): string => readFileSync(`/proc/${this.#child.pid}/${file}`, 'latin1');
    try {
      const state = /^State:\s*(.*)$/m.exec(read('status'))?.[1] ?? '';
      return `${state} in ${read('wchan')}`;
    } catch {
      return '';
    }
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  stop(): void {
    this.#isStopped = true;
    this.#child.kill('SIGSTOP');
  }

  go(): void {
    this.#isStopped = false;
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to end. */
  end(): void {
    this.#child.kill('SIGTERM');
  }
}
