import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { type ProgramOptions, startProgram } from './program.ts';

/** Milliseconds of processor time that a process has used: how far it is, however busy the machine. 0 once it is gone. */
function processorTimeOf(child: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

export interface Disturbed {
  /** Null when the signal ended it. */
  readonly code: number | null;
  /** Of its processor time, in milliseconds. */
  readonly used: number;
}

/** Starts the program, and sends it a signal once it has used so many milliseconds of processor time. */
export async function disturbed(
  words: readonly string[],
  options: ProgramOptions,
  signal: NodeJS.Signals,
  after: number,
): Promise<Disturbed> {
  const child = startProgram(words, options);
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const ended = once(child, 'close');
  let used = 0;
  while (child.exitCode === null && used < after) {
    await Promise.race([ended, setTimeout(5)]);
    used = Math.max(used, processorTimeOf(child));
  }
  child.kill(signal);
  await ended;
  return { code: child.exitCode, used };
}
