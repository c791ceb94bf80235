import { claim, command, second, skip } from '../commands.ts';
import type { NumberedDelivery } from '../naive-delivery.ts';
import type { Case } from './case.ts';

const misnamed = (sequence: number): NumberedDelivery => command(sequence, { fault: 'misnamed' });
const unkeyed = (sequence: number): NumberedDelivery => command(sequence, { fault: 'unkeyed' });

/** Commands that are refused for an attribute and come too early, and the same data with the attribute corrected. */
export const correctionCases: readonly Case[] = [
  {
    law: 'a correction takes the place of what waits refused, and is applied at its turn',
    steps: [
      [command(1), 'applied'],
      [misnamed(3), 'parked'],
      [command(3), 'parked, refused'],
      [command(2), 'applied 2, drained'],
      [command(4), 'applied'],
    ],
    after: { last: 4, entries: 4, refused: false, halted: false, parkedCommands: 0, parkedBytes: 0, filed: 1 },
  },
  {
    law: 'a correction and what it corrects are duplicates when they come again, while it waits and ever after',
    steps: [
      [command(1), 'applied'],
      [misnamed(3), 'parked'],
      [misnamed(3), 'duplicate'],
      [command(3), 'parked, refused'],
      [misnamed(3), 'duplicate'],
      [command(3), 'duplicate'],
      [command(2), 'applied 2, drained'],
      [misnamed(3), 'duplicate'],
      [command(3), 'duplicate'],
      [claim(2, second), 'claimed'],
      [misnamed(3), 'duplicate'],
      [command(3), 'duplicate'],
    ],
    after: { last: 3, filed: 1 },
  },
  {
    law: 'what is refused beside the same data that waits is a dead letter that blocks nothing',
    steps: [
      [command(1), 'applied'],
      [command(3), 'parked'],
      [misnamed(3), 'refused'],
      [unkeyed(3), 'refused'],
      [misnamed(3), 'duplicate'],
      [command(2), 'applied 2, drained'],
    ],
    after: { last: 3, refused: false, halted: false, filed: 2 },
  },
  {
    law: 'of several that are refused for different attributes the first waits, until a valid one comes',
    steps: [
      [command(1), 'applied'],
      [misnamed(3), 'parked'],
      [unkeyed(3), 'refused'],
      [unkeyed(3), 'duplicate'],
      [command(3), 'parked, refused'],
      [command(2), 'applied 2, drained'],
    ],
    after: { last: 3, refused: false, filed: 2 },
  },
  {
    law: 'without a correction the first that waits is refused at its turn, and its number stays open',
    steps: [
      [command(1), 'applied'],
      [misnamed(3), 'parked'],
      [unkeyed(3), 'refused'],
      [command(2), 'applied, drained, refused'],
      [skip(3, 1, 'a'), 'skipped'],
    ],
    after: { last: 3, skipped: [3], refused: false, filed: 3 },
  },
  {
    law: 'a correction repairs also in a halted session, where the next claim fences it',
    steps: [
      [command(1), 'applied'],
      [command(1, { variation: 1 }), 'conflict'],
      [misnamed(2), 'parked'],
      [command(2), 'parked, refused'],
      [claim(2, second), 'claimed, fenced'],
      [misnamed(2), 'duplicate'],
      [command(2), 'duplicate'],
      [command(2, { epoch: 2, writer: second }), 'applied'],
    ],
    after: { last: 2, halted: false, refused: false, filed: 3 },
  },
  {
    law: 'a correction takes the place of what waits for the first reign',
    steps: [
      [misnamed(2), 'parked'],
      [command(2), 'parked, refused'],
      [command(1), 'applied 2, drained'],
    ],
    after: { last: 2, entries: 2, filed: 1 },
  },
  {
    law: 'other data, and the same data of another writer, is no correction',
    steps: [
      [command(1), 'applied'],
      [misnamed(3), 'parked'],
      [command(3, { variation: 1 }), 'conflict'],
      [command(3, { fault: 'misnamed', variation: 1 }), 'conflict'],
      [command(3, { writer: second }), 'fenced'],
      [command(3, { session: 't' }), 'parked'],
      [command(3), 'parked, refused'],
      [command(2), 'applied 2, drained'],
    ],
    after: { last: 3, halted: false, filed: 4 },
  },
];
