import type { Command } from '../domain/command.ts';
import type { PersistenceError } from '../domain/errors.ts';
import type { Lane, Together, Waiting } from './lane.ts';

/** A command whose turn has come: it is published with others as one group. */
export interface Taken {
  readonly lane: Lane;
  readonly waiting: Waiting;
  readonly command: Command;
}

/** True when nothing that was put together with one of these is in another group, or still waits. */
export function isWhole(taken: readonly Taken[]): boolean {
  const found = new Map<Together, number>();
  for (const { together } of taken.map(({ waiting }) => waiting)) {
    if (together !== undefined) found.set(together, (found.get(together) ?? 0) + 1);
  }
  return [...found].every(([together, count]) => count === together.commands);
}

/** Nothing was written: the numbers are given again, and what waits in the same lanes goes on. */
export function refuse(taken: readonly Taken[], refusal: PersistenceError): void {
  for (const { lane, waiting, command } of taken) {
    lane.takeBack(command);
    waiting.reject(refusal);
  }
}
