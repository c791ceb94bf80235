import { spawn } from 'node:child_process';
import { type ShimOptions, shimEnvironment } from './shim.ts';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * Runs a compiled program to its end in a process of its own, under the shim unless `shim` is undefined. With
 * `killAfter` it gets a SIGKILL after so many milliseconds.
 */
export function runProgram(
  program: readonly string[],
  shim: { readonly library: string; readonly options: ShimOptions } | undefined,
  killAfter?: number,
): Promise<Outcome> {
  const environment = shim === undefined ? {} : shimEnvironment(shim.library, shim.options);
  const child = spawn(process.execPath, [...program], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output, errors });
    });
  });
}
