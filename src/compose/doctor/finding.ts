import type { Logger } from 'pino';
import type { Values } from '../../configuration/settings.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Machine } from './machine.ts';

/** What was looked at, what was found, and what to change where that is not as it should be. */
export interface Finding {
  readonly subject: string;
  /** `warning`: it works, but not as well or not for as long as it should. `problem`: something will not work. */
  readonly result: 'ok' | 'warning' | 'problem';
  readonly found: string;
  readonly change: string | null;
}

/** What checks look at. */
export interface Examined {
  readonly values: Values;
  readonly machine: Machine;
  readonly clock: Clock;
  /** Of what has to be opened to be looked at. */
  readonly logger: Logger;
}

/** Looks at one thing; finds nothing where the settings do not use it. Never throws for what it can tell. */
export type Check = (examined: Examined) => Promise<readonly Finding[]>;

export function ok(subject: string, found: string): Finding {
  return { subject, result: 'ok', found, change: null };
}

export function warning(subject: string, found: string, change: string): Finding {
  return { subject, result: 'warning', found, change };
}

export function problem(subject: string, found: string, change: string): Finding {
  return { subject, result: 'problem', found, change };
}

/** What the operating system calls a failure, such as `EACCES`. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Bytes for people. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
