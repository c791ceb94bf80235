import type { Plan, SessionChange } from '../../domain/plan.ts';
import type { CommitPart } from './encode-commit.ts';
import type { Bucket, KeySpace } from './keys.ts';

/** The parts of a plan, those with nothing in them left out. */
export interface SplitPlan {
  readonly sessions: readonly CommitPart[];
  /** Positions and dead letters without a session, and in a layout of one bucket everything. */
  readonly home: CommitPart | undefined;
}

export function splitPlan(plan: Plan, keys: KeySpace): SplitPlan {
  const changes = new Map<Bucket, SessionChange[]>();
  for (const change of plan.changes) {
    const bucket = keys.bucketOf(change.session);
    const part = changes.get(bucket);
    if (part === undefined) changes.set(bucket, [change]);
    else part.push(change);
  }
  const { unreadable, positions } = plan;
  const atHome = changes.get(keys.home) ?? [];
  changes.delete(keys.home);
  const isEmpty = atHome.length + unreadable.length + positions.length === 0;
  return {
    sessions: [...changes].map(([bucket, part]) => ({ bucket, changes: part, unreadable: [], positions: [] })),
    home: isEmpty ? undefined : { bucket: keys.home, changes: atHome, unreadable, positions },
  };
}
