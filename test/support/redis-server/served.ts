import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { root } from '../../../scripts/project.mjs';
import type { RedisServerLimits } from '../../../src/redis-server/limits.ts';

const program = fileURLToPath(new URL('served.mjs', import.meta.url));

/** A server in a process of its own, which is stopped, resumed and looked at from outside. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly child: ChildProcess;
  /** What it logged so far. */
  log(): string;
}

export interface ServedOptions {
  readonly password?: string;
  readonly limits?: Partial<RedisServerLimits>;
  /** Options of Node. */
  readonly node?: readonly string[];
}

/** Starts one; what it can be asked is told in `served.mjs`. */
export async function startServed({ node = [], ...options }: ServedOptions = {}): Promise<Served> {
  const build = pathToFileURL(join(root, 'dist/src')).href;
  const child = fork(program, [JSON.stringify({ build, ...options })], {
    execArgv: [...node],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let log = '';
  child.stderr?.on('data', (text) => {
    log += text;
  });
  const [told] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`the server ended before it listened:\n${log}`);
    }),
  ]);
  return {
    port: told.port,
    child,
    log: () => log,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
    },
  };
}
