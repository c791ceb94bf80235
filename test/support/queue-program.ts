import { rmSync } from 'node:fs';
import { type Ending, freshDirectory, type ProgramOptions, runProgram } from './program.ts';
import { RunningProgram } from './running-program.ts';

/**
 * `macp-persist` over a queue of a test's own, and a directory of its own. Unless a store is named, it is the level
 * store in there; what is started is killed in the end.
 */
export class QueueProgram implements AsyncDisposable {
  readonly directory = freshDirectory();
  /** Variables that every process gets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #started: RunningProgram[] = [];

  constructor(environment: Readonly<Record<string, string>>) {
    this.environment = { MACP_PERSIST_HTTP_PORT: '0', ...environment };
  }

  run(words: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
    return runProgram(words, this.#given(options));
  }

  start(words: readonly string[], options: ProgramOptions = {}): RunningProgram {
    const program = new RunningProgram(words, this.#given(options));
    this.#started.push(program);
    return program;
  }

  /** Runs it, and reads the lines that it prints as JSON. Throws where it fails. */
  async json<Line>(words: readonly string[], options: ProgramOptions = {}): Promise<readonly Line[]> {
    const { code, stdout, stderr } = await this.run([...words, '--json'], options);
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((program) => program.stop('SIGKILL')));
    rmSync(this.directory, { recursive: true });
  }

  #given({ environment, ...options }: ProgramOptions): ProgramOptions {
    return { directory: this.directory, ...options, environment: { ...this.environment, ...environment } };
  }
}
