import { decodeCursorVersion } from '../domain/encoding/cursor.ts';
import type { Plan, PositionStep, StoredPosition } from '../domain/plan.ts';
import { cursorMismatch, positionMismatch, samePosition } from '../stores/plan-checks.ts';
import type { Content, StoredVersion } from './content.ts';
import { cursorKey, type Key } from './record-keys.ts';

/** The stored cursor versions of the plan's sessions, in the order of its changes; read only where not remembered. */
export async function storedVersions(content: Content, plan: Plan): Promise<readonly StoredVersion[]> {
  const { versions, records } = content;
  const stored: StoredVersion[] = [];
  const unknownAt: number[] = [];
  const unknownKeys: Key[] = [];
  plan.changes.forEach(({ session }, index) => {
    stored.push(versions.get(session));
    if (versions.has(session)) return;
    unknownAt.push(index);
    unknownKeys.push(cursorKey(session));
  });
  if (unknownKeys.length === 0) return stored;
  const found = await records.getMany(unknownKeys);
  found.forEach((bytes, at) => {
    stored[unknownAt[at] ?? stored.length] = bytes === undefined ? undefined : decodeCursorVersion(bytes);
  });
  return stored;
}

/** Throws `POSITION_MISMATCH` or `CURSOR_MISMATCH` when the plan does not start from what is stored. */
export function checkPlan(content: Content, plan: Plan, stored: readonly StoredVersion[]): void {
  for (const step of plan.positions) {
    const position = storedPosition(content, step);
    if (!samePosition(position, step.from)) throw positionMismatch(step, position);
  }
  plan.changes.forEach((change, index) => {
    if (stored[index] !== change.before?.version) throw cursorMismatch(change, stored[index]);
  });
}

/** True when everything that the plan compares stands where the plan would put it, and there is something of it. */
export function isCommitted(content: Content, plan: Plan, stored: readonly StoredVersion[]): boolean {
  return (
    plan.positions.length + plan.changes.length > 0 &&
    plan.positions.every((step) => samePosition(storedPosition(content, step), step.to)) &&
    plan.changes.every((change, index) => stored[index] === change.after.version)
  );
}

/** Remembers what the plan has put into the store. */
export function noteCommitted({ cursors, versions, positions }: Content, plan: Plan): void {
  cursors.settle(plan.changes);
  for (const { session, after } of plan.changes) versions.set(session, after.version);
  for (const { source, partition, to } of plan.positions) {
    const partitions = positions.get(source) ?? new Map<number, StoredPosition>();
    positions.set(source, partitions.set(partition, to));
  }
}

function storedPosition({ positions }: Content, step: PositionStep): StoredPosition | undefined {
  return positions.get(step.source)?.get(step.partition);
}
