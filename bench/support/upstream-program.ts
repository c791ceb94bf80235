import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { benchDirectory, removeDirectory } from './bare.ts';
import { entryPool, sessionIds } from './entries.ts';

const run = promisify(execFile);

/** The Rust program `bench/upstream`, which writes the bench's entries without this project. */
export class UpstreamProgram implements AsyncDisposable {
  readonly #program: string;
  readonly #scratch: string;

  private constructor(program: string, scratch: string) {
    this.#program = program;
    this.#scratch = scratch;
  }

  /** Whether it was built: it needs a Rust toolchain. */
  static get isThere(): boolean {
    return process.env['BENCH_UPSTREAM_PROGRAM'] !== undefined;
  }

  /** Ready to write the entries of the pool over so many sessions. */
  static async provide(sessions: number): Promise<UpstreamProgram> {
    const program = process.env['BENCH_UPSTREAM_PROGRAM'];
    if (program === undefined) throw new Error('the Rust program of the bench was not built');
    const scratch = await benchDirectory('upstream');
    writeLines(join(scratch, 'entries'), entryPool(4096));
    writeLines(join(scratch, 'ids'), sessionIds(sessions));
    return new UpstreamProgram(program, scratch);
  }

  /** Entries a second of one `way` to write `count` of them into `directory`; see the program for `each`. */
  rate(way: 'file' | 'rocksdb' | 'entries', directory: string, count: number, ...each: readonly number[]) {
    const lines = [join(this.#scratch, 'entries'), join(this.#scratch, 'ids')];
    return this.#told(way, directory, ...lines, ...[count, ...each].map(String));
  }

  /** Entries a second of writing the `count` entries that lie in `batches`. */
  batchRate(directory: string, batches: string, count: number): Promise<number> {
    return this.#told('batches', directory, batches, String(count));
  }

  async #told(...parameters: readonly string[]): Promise<number> {
    return Number((await run(this.#program, parameters)).stdout);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return removeDirectory(this.#scratch);
  }
}

function writeLines(path: string, lines: readonly (Uint8Array | string)[]): void {
  writeFileSync(path, lines.map((line) => Buffer.from(line).toString('utf8')).join('\n'));
}
