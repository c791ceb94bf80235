import { PlanBuilder, someDeadLetter, somePosition } from '../../src/conformance/store-plan-builder.ts';
import { ada, oddBytes, source } from '../../src/conformance/store-samples.ts';
import type { Plan } from '../../src/domain/plan.ts';

/** The program commits so many plans before it makes a backup, and as many again while it does, twice. */
export const stepsAtOnce = 25;

/** What the program had been promised: durable plans, and the backups that were made, by how many they must hold. */
export interface BackupPromise {
  readonly committed: number;
  readonly backups: readonly number[];
}

/** Entry `number` of the one log that the steps write. */
export function entryOf(number: number): Uint8Array {
  return oddBytes(3_000 + number);
}

/** Plans that follow each other: after `n` of them every part of the store says that there were `n`. */
export function* steps(): Generator<Plan> {
  const builder = new PlanBuilder();
  for (let number = 0; ; number += 1) {
    yield builder
      .append(ada, entryOf(number))
      .unreadable(someDeadLetter(`${number}`, undefined))
      .position(source, 0, somePosition(number + 1))
      .build();
  }
}
