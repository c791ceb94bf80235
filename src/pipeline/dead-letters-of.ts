import type { DeadLetter, Plan } from '../domain/plan.ts';

/** Every dead letter that a plan files. */
export function deadLettersOf(plan: Plan): readonly DeadLetter[] {
  const ofSessions = plan.changes.flatMap(({ filed }) => filed.filter((record) => record.kind === 'dead letter'));
  return [...plan.unreadable, ...ofSessions];
}
