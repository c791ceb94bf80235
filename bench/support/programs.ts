import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { peakMebibytes } from './footprint.ts';

/** A server in a process of its own. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
}

const service = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** `macp-persist start` on a data directory, at a free port, as a user would run it, with further `flags`. */
export async function startService(dataDir: string, flags: readonly string[]): Promise<RunningServer> {
  const parameters = ['start', '--data-dir', dataDir, '--http-port', '0', '--log-level', 'error', ...flags];
  const child = spawn(process.execPath, [service, ...parameters], { stdio: ['ignore', 'ignore', 'pipe'] });
  const lines = createInterface({ input: child.stderr });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the service did not start')));
    lines.on('line', (line) => {
      const [, found] = /^Listening at (\S+);/.exec(line) ?? [];
      if (found === undefined) console.error(line);
      else resolve(found);
    });
  });
  return running(child, url);
}

/** A program of `bench`, by folder and name, that prints its URL and serves until it is told to end. */
export async function startServer(name: string, parameter: unknown): Promise<RunningServer> {
  const child = program(name, parameter);
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return running(child, url);
}

/** What a program of `bench`, by folder and name, prints, one JSON document, once it is done. */
export async function runProgram<Result>(name: string, parameter: unknown): Promise<Result> {
  return (await runMeasured<Result>(name, parameter)).result;
}

/** The same, and the most anonymous memory that the program had, in MiB. */
export async function runMeasured<Result>(
  name: string,
  parameter: unknown,
): Promise<{ readonly result: Result; readonly mebibytes: number }> {
  const child = program(name, parameter);
  const peak = peakMebibytes(child);
  const exited = once(child, 'exit');
  let text = '';
  for await (const part of child.stdout) text += part;
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return { result: JSON.parse(text), mebibytes: await peak };
}

function program(name: string, parameter: unknown) {
  const path = fileURLToPath(new URL(`../${name}-program.js`, import.meta.url));
  return spawn(process.execPath, [path, JSON.stringify(parameter)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

function running(child: ChildProcess, url: string): RunningServer {
  const exited = once(child, 'exit');
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
