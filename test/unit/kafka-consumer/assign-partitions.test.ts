import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignPartitions, type Member } from '../../../src/queues/kafka/consumer/assign-partitions.ts';

function member(id: string, owned: readonly number[] = [], generation = 1, store = 'one'): Member {
  return { id, owned, generation, fills: { id: store, shared: true } };
}

/** What members own after joining again until nobody has to give anything up, at most `rounds` times. */
function settle(members: readonly Member[], partitions: number, rounds = 2): readonly Member[] {
  let settled = members;
  for (let round = 0; round < rounds; round += 1) {
    const { assigned } = assignPartitions(settled, settled[0]?.id ?? '', partitions);
    settled = settled.map((one) => ({ ...one, owned: assigned.get(one.id) ?? [], generation: one.generation + 1 }));
  }
  return settled;
}

function counts(members: readonly Member[]): number[] {
  return members.map(({ owned }) => owned.length).sort();
}

test('one member gets everything at once', () => {
  expect(settle([member('a')], 8, 1)[0]?.owned).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a partition that another member owns is given to nobody until that one has given it up', () => {
  const { assigned } = assignPartitions([member('a', [0, 1, 2, 3]), member('b')], 'a', 4);
  expect(assigned.get('a')).toEqual([0, 1]);
  expect(assigned.get('b')).toEqual([]);
  const after = assignPartitions([member('a', [0, 1]), member('b')], 'b', 4);
  expect(after.assigned.get('a')).toEqual([0, 1]);
  expect(after.assigned.get('b')).toEqual([2, 3]);
});

test('whatever members own, two rounds share out all partitions evenly, each to one, and then nothing moves', () => {
  const arbitraryMembers = fc.integer({ min: 1, max: 24 }).chain((partitions) =>
    fc.record({
      partitions: fc.constant(partitions),
      owners: fc.array(fc.integer({ min: -1, max: 6 }), { minLength: partitions, maxLength: partitions }),
      count: fc.integer({ min: 1, max: 7 }),
    }),
  );
  fc.assert(
    fc.property(arbitraryMembers, ({ partitions, owners, count }) => {
      const members = Array.from({ length: count }, (_, index) =>
        member(
          `member-${index}`,
          owners.flatMap((owner, partition) => (owner === index ? [partition] : [])),
        ),
      );
      const settled = settle(members, partitions);
      const owned = settled.flatMap((one) => one.owned).sort((one, other) => one - other);
      expect(owned).toEqual(Array.from({ length: partitions }, (_, partition) => partition));
      expect(Math.max(...counts(settled)) - Math.min(...counts(settled))).toBeLessThanOrEqual(1);
      expect(settle(settled, partitions, 1).map((one) => one.owned)).toEqual(settled.map((one) => one.owned));
      // As few as possible moved: nobody below the share of all lost anything.
      for (const [index, one] of settled.entries()) {
        const before = members[index]?.owned ?? [];
        const kept = before.filter((partition) => one.owned.includes(partition)).length;
        expect(kept).toBeGreaterThanOrEqual(Math.min(before.length, Math.floor(partitions / count)));
      }
    }),
  );
});

test('what a member of an earlier generation says it owns counts only where nobody knows better', () => {
  const { assigned } = assignPartitions([member('a', [0, 1], 3), member('b', [0, 1], 5)], 'a', 2);
  expect(assigned.get('b')).toHaveLength(1);
  expect(assigned.get('a')).toEqual([]);
  const alone = assignPartitions([member('a', [0], 3), member('b', [1], 5)], 'a', 2);
  expect([...alone.assigned]).toEqual([
    ['a', [0]],
    ['b', [1]],
  ]);
});

test('members that fill another store than the leader are refused, and the rest share the partitions', () => {
  const members = [member('a'), member('b', [1], 1, 'two'), member('c')];
  const { assigned, refused } = assignPartitions(members, 'c', 2);
  expect([...refused]).toEqual(['b']);
  expect(assigned.get('b')).toEqual([]);
  expect(assigned.get('a')).toHaveLength(1);
  expect(assigned.get('c')).toHaveLength(1);
  const untold = assignPartitions([member('a'), { ...member('b'), fills: undefined }], 'a', 2);
  expect(untold.refused.size).toBe(0);
});
