/** One small mistake in the rule: in `file`, below `src/domain`, `find` (which occurs exactly once) becomes `become`. */
export interface Mutant {
  /** The row or clause of the contract that it breaks. */
  readonly breaks: string;
  readonly file: string;
  readonly find: string;
  readonly become: string;
}

export function mutant(file: string, breaks: string, find: string, become: string): Mutant {
  return { breaks, file, find, become };
}

export const decide = 'rule/decide.ts';
export const draft = 'rule/session-draft.ts';
export const planner = 'rule/plan-batch.ts';
export const filedId = 'rule/filed-id.ts';
export const cursor = 'cursor.ts';
