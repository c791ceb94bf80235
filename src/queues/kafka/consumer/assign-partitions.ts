import type { FilledStore } from '../../../ports/queue.ts';

/** A member of the group as its leader knows it. */
export interface Member {
  readonly id: string;
  readonly owned: readonly number[];
  /** The generation in which it got those. */
  readonly generation: number;
  readonly fills: FilledStore | undefined;
}

/** What each member gets, and whom the group refuses. */
export interface SharedOut {
  readonly assigned: ReadonlyMap<string, readonly number[]>;
  readonly refused: ReadonlySet<string>;
}

/**
 * Shares out partitions 0 to `partitions - 1`: evenly, and so that as few as possible move. A partition that somebody
 * else still owns is given to nobody: its owner sees that it is to give it up, does so once it has finished with it,
 * and joins again, whereupon the partition is free (cooperative rebalancing, KIP-429). Members that fill another store
 * than the leader are refused and own nothing.
 */
export function assignPartitions(members: readonly Member[], leader: string, partitions: number): SharedOut {
  const filled = members.find(({ id }) => id === leader)?.fills;
  const refused = new Set(members.filter(({ fills }) => isOther(fills, filled)).map(({ id }) => id));
  const admitted = members.filter(({ id }) => !refused.has(id)).sort((one, other) => (one.id < other.id ? -1 : 1));
  const owners = ownersOf(admitted, partitions);
  const targets = targetsOf(admitted, owners, partitions);
  const assigned = new Map(members.map(({ id }) => [id, [] as number[]]));
  for (const [partition, target] of targets.entries()) {
    const owner = owners[partition];
    if (owner === undefined || owner === target) assigned.get(target)?.push(partition);
  }
  return { assigned, refused };
}

function isOther(one: FilledStore | undefined, other: FilledStore | undefined): boolean {
  return one !== undefined && other !== undefined && one.id !== other.id;
}

/** Who owns each partition. Of several who say so, the one of the latest generation does: the others have lost it. */
function ownersOf(members: readonly Member[], partitions: number): (string | undefined)[] {
  const owners = Array.from({ length: partitions }, (): Member | undefined => undefined);
  for (const member of members) {
    for (const partition of member.owned) {
      const known = owners[partition];
      if (partition < partitions && (known === undefined || member.generation > known.generation)) {
        owners[partition] = member;
      }
    }
  }
  return owners.map((owner) => owner?.id);
}

/** Who is to own each partition in the end. */
function targetsOf(members: readonly Member[], owners: readonly (string | undefined)[], partitions: number): string[] {
  if (members.length === 0) return [];
  const held = new Map(members.map(({ id }) => [id, [] as number[]]));
  for (const [partition, owner] of owners.entries()) if (owner !== undefined) held.get(owner)?.push(partition);
  const targets = new Map<number, string>();
  // Who owns most may keep one more where the partitions do not divide evenly.
  const ranked = [...held].sort(([, one], [, other]) => other.length - one.length);
  const quota = (rank: number): number =>
    Math.floor(partitions / ranked.length) + (rank < partitions % ranked.length ? 1 : 0);
  const room: string[] = [];
  for (const [rank, [id, owned]] of ranked.entries()) {
    for (const partition of owned.slice(0, quota(rank))) targets.set(partition, id);
    for (let free = quota(rank) - owned.length; free > 0; free -= 1) room.push(id);
  }
  return owners.map((_, partition) => targets.get(partition) ?? room.shift() ?? '');
}
