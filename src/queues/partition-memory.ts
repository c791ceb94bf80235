import type { SessionId } from '../domain/identifiers.ts';
import { partitionOf } from '../domain/partition.ts';

const mostRemembered = 16_384;

/** `partitionOf` for a number of partitions, that remembers the sessions of late: hashing costs four times as much. */
export function partitionMemory(partitions: number): (session: SessionId) => number {
  const remembered = new Map<SessionId, number>();
  return (session) => {
    const known = remembered.get(session);
    if (known !== undefined) return known;
    const partition = partitionOf(session, partitions);
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(session, partition);
    return partition;
  };
}
