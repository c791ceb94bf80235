import { decodeCursorVersion } from '../../domain/encoding/cursor.ts';
import type { Plan, PositionStep, StoredPosition } from '../../domain/plan.ts';
import { cursorMismatch, positionMismatch, samePosition } from '../plan-checks.ts';
import { type Key, sessionKey } from './keys.ts';
import type { OpenedLevel, StoredVersion } from './opened-level.ts';

/** The stored cursor versions of the plan's sessions, in the order of its changes; read only where not remembered. */
export async function storedVersions(opened: OpenedLevel, plan: Plan): Promise<readonly StoredVersion[]> {
  const { versions, database } = opened;
  const stored: StoredVersion[] = [];
  const unknownAt: number[] = [];
  const unknownKeys: Key[] = [];
  plan.changes.forEach(({ session }, index) => {
    stored.push(versions.get(session));
    if (versions.has(session)) return;
    unknownAt.push(index);
    unknownKeys.push(sessionKey('cursor', session));
  });
  if (unknownKeys.length === 0) return stored;
  const found = await database.getMany(unknownKeys);
  found.forEach((bytes, at) => {
    stored[unknownAt[at] ?? stored.length] = bytes === undefined ? undefined : decodeCursorVersion(bytes);
  });
  return stored;
}

/** Throws `POSITION_MISMATCH` or `CURSOR_MISMATCH` when the plan does not start from what is stored. */
export function checkPlan(opened: OpenedLevel, plan: Plan, stored: readonly StoredVersion[]): void {
  for (const step of plan.positions) {
    const position = storedPosition(opened, step);
    if (!samePosition(position, step.from)) throw positionMismatch(step, position);
  }
  plan.changes.forEach((change, index) => {
    if (stored[index] !== change.before?.version) throw cursorMismatch(change, stored[index]);
  });
}

/** True when everything that the plan compares stands where the plan would put it, and there is something of it. */
export function isCommitted(opened: OpenedLevel, plan: Plan, stored: readonly StoredVersion[]): boolean {
  return (
    plan.positions.length + plan.changes.length > 0 &&
    plan.positions.every((step) => samePosition(storedPosition(opened, step), step.to)) &&
    plan.changes.every((change, index) => stored[index] === change.after.version)
  );
}

/** Remembers what the plan has put into the store. */
export function noteCommitted({ cursors, versions, positions }: OpenedLevel, plan: Plan): void {
  cursors.settle(plan.changes);
  for (const { session, after } of plan.changes) versions.set(session, after.version);
  for (const { source, partition, to } of plan.positions) {
    const partitions = positions.get(source) ?? new Map<number, StoredPosition>();
    positions.set(source, partitions.set(partition, to));
  }
}

function storedPosition({ positions }: OpenedLevel, step: PositionStep): StoredPosition | undefined {
  return positions.get(step.source)?.get(step.partition);
}
