import { expect, test } from 'vitest';
import { hasSuccessor } from '../../../src/queues/kafka/publishing/successor.ts';

const own = { producerId: 7n, epoch: 3 };
const states = ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'];
const successors = [
  { producerId: 7n, epoch: 4 },
  { producerId: 7n, epoch: 5 },
  { producerId: 8n, epoch: 0 },
  { producerId: 8n, epoch: 1 },
];

/** Who may be found under the transactional id, and how, that a producer may still go on from its own identity. */
function foundWithout(mayHaveNext: boolean): readonly string[] {
  const found = [own, ...successors].flatMap((identity) =>
    states.map((state) => ({ ...identity, state, errorCode: 0 })),
  );
  return found
    .filter((each) => !hasSuccessor(own, each, mayHaveNext))
    .map(({ producerId, epoch, state }) => `${producerId}/${epoch} ${state}`);
}

const ownStates = states.map((state) => `7/3 ${state}`);
const givenUp = ['7/4 PrepareAbort', '7/4 CompleteAbort', '8/0 PrepareAbort', '8/0 CompleteAbort'];

test('another epoch is a successor, but that of a transaction which the brokers gave up', () => {
  expect([...foundWithout(false)].sort()).toEqual([...ownStates, ...givenUp].sort());
});

test('an epoch that was given while the answer was lost is no successor as long as nothing was done in it', () => {
  expect([...foundWithout(true)].sort()).toEqual([...ownStates, ...givenUp, '7/4 Empty', '8/0 Empty'].sort());
});
