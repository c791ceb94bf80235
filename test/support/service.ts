import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type ProgramOptions, startProgram } from './program.ts';

/** A running `macp-persist start` (or `serve`, `worker`) and what it says. */
export interface RunningService {
  readonly child: ChildProcessWithoutNullStreams;
  readonly url: string;
  /** Lines of standard error so far. */
  readonly said: readonly string[];
  /** Sends a signal and resolves with the exit code, null where a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a service at a free port and resolves once it listens. Rejects with what it said when it ends before. */
export async function startService(
  words: readonly string[] = [],
  options: ProgramOptions & { readonly command?: 'start' | 'serve' } = {},
): Promise<RunningService> {
  const child = startProgram([options.command ?? 'start', '--http-port', '0', ...words], options);
  child.stdin.end();
  child.stdout.resume();
  const said: string[] = [];
  const ended = once(child, 'exit');
  const url = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      const found = /Listening at (http\S+);/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on('close', () => reject(new Error(`the service ended before it listened:\n${said.join('\n')}`)));
  });
  return {
    child,
    url: await url,
    said,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
      return child.exitCode;
    },
  };
}

/** Asks `url` again and again until `holds` is true of the answer; the test's own time limit ends it. */
export async function until(url: string, holds: (answer: Response) => boolean | Promise<boolean>): Promise<void> {
  for (;;) {
    const answer = await fetch(url);
    if (await holds(answer.clone())) return;
    await answer.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
