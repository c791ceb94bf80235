import type { Writable } from 'node:stream';
import { PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { type Progress, type ProgressStyle, progressStyle, startProgress } from './progress.ts';

/** Thrown where the reader of our output has gone: there is nobody left to work for. */
export class ReaderGone extends Error {}

export interface OutputStreams {
  readonly results: Writable;
  readonly remarks: Writable;
  /** Whether results and all that is said about them are JSON lines. */
  readonly asJson: boolean;
  /** Of build servers, which set `CI`. */
  readonly environment: { readonly CI?: string | undefined };
  readonly clock: Clock;
}

/** Results go to standard output, and everything that is said about them to standard error. */
export class Output {
  readonly asJson: boolean;
  readonly #results: Writable;
  readonly #remarks: Writable;
  readonly #style: ProgressStyle;
  readonly #clock: Clock;
  #failure: Error | undefined;
  /** Of the long work that is under way. */
  #progress: Progress | undefined;

  constructor({ results, remarks, asJson, environment, clock }: OutputStreams) {
    this.asJson = asJson;
    this.#style = progressStyle(remarks, asJson, environment);
    this.#clock = clock;
    this.#results = results;
    this.#remarks = remarks;
    results.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= failureOf(error);
    });
    // Nobody can be told that standard error is gone.
    remarks.on('error', () => undefined);
  }

  /** Writes one result line. */
  line(text: string | Uint8Array): Promise<void> {
    return this.text(typeof text === 'string' ? `${text}\n` : Buffer.concat([text, newLine]));
  }

  /** Writes a part of a result; waits where the reader is slow. Throws {@link ReaderGone} once the reader has gone. */
  async text(text: string | Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#results.write(text)) return;
    await drained(this.#results);
  }

  /** Writes one result line as JSON. */
  json(value: unknown): Promise<void> {
    return this.line(JSON.stringify(value));
  }

  /** Says something about the work. */
  remark(text: string): void {
    const say = (): void => {
      this.#remarks.write(`${this.asJson ? JSON.stringify({ remark: text }) : text}\n`);
    };
    if (this.#progress === undefined) say();
    else this.#progress.aside(say);
  }

  /** True where progress is drawn over itself, which other lines on standard error would tear apart. */
  get drawsProgress(): boolean {
    return this.#style === 'bar';
  }

  /** True where a person sees the results as they are written. */
  get showsResults(): boolean {
    return 'isTTY' in this.#results && this.#results.isTTY === true;
  }

  /** Tells from now on how far a long work is. */
  progress(unit: string, total: number | undefined): Progress {
    const started = startProgress({ stream: this.#remarks, style: this.#style, clock: this.#clock, unit, total });
    this.#progress = started;
    const end = (): void => {
      started.end();
      this.#progress = undefined;
    };
    return { ...started, end, [Symbol.dispose]: end };
  }

  /** Says why the work has failed, in text that is made for this output. */
  failure(text: string): void {
    this.#remarks.write(`${text}\n`);
  }

  /** Resolves once everything written was handed to the operating system. Throws what kept it from that. */
  async finish(): Promise<void> {
    if (this.#failure === undefined) await new Promise<void>((resolve) => this.#results.write('', () => resolve()));
    if (this.#failure !== undefined) throw this.#failure;
  }
}

const newLine = Buffer.from('\n');

function failureOf(cause: NodeJS.ErrnoException): Error {
  if (cause.code === 'EPIPE') return new ReaderGone();
  const code = cause.code === 'ENOSPC' ? 'DISK_FULL' : 'UNEXPECTED';
  return new PersistenceError(code, 'standard output cannot be written', { cause });
}

/** Resolves once there is room again, or nobody left who reads. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'error']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) stream.on(event, done);
  });
}
