import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/project.mjs';

/** The built program: `npm test` builds it first. */
const program = join(root, 'dist/src/cli/main.js');

/** The environment without anybody's own settings. */
export const cleanEnvironment: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('MACP_')),
);

export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Where standard output goes instead of a pipe. */
  readonly output?: string;
}

/** A fresh directory for one test. */
export function freshDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'macp-persist-cli-'));
}

/** Starts `macp-persist` with these words, in `directory`. */
export function startProgram(words: readonly string[], options: ProgramOptions = {}): ChildProcessWithoutNullStreams {
  const { output } = options;
  const redirected = output === undefined ? [] : ['sh', '-c', `exec "$@" > '${output}'`, 'sh'];
  const [command = '', ...rest] = [...redirected, process.execPath, program, ...words];
  return spawn(command, rest, {
    cwd: options.directory ?? tmpdir(),
    env: { ...cleanEnvironment, ...options.environment },
  });
}

/** Runs `macp-persist` with these words to its end. */
export async function runProgram(words: readonly string[], options: ProgramOptions = {}): Promise<Ending> {
  const child = startProgram(words, options);
  const read = async (stream: AsyncIterable<Buffer>): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  // A program that refuses its settings does not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}
