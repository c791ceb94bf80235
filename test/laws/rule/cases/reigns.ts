import { claim, command, first, second, third } from '../commands.ts';
import type { Case } from './case.ts';

const bySecond = { epoch: 2, writer: second };
const byThird = { epoch: 3, writer: third };

/** Rows 4 to 6: commands of another reign than the present one, and of the present one from before its claim. */
export const reignCases: readonly Case[] = [
  {
    law: 'a lower epoch never writes',
    steps: [
      [claim(2, second), 'claimed'],
      [command(1), 'fenced'],
      [command(1, { variation: 1 }), 'fenced'],
      [command(5), 'fenced'],
      [command(2, { valid: false }), 'fenced'],
    ],
    after: { last: 0, parkedCommands: 0, filed: 4, refused: false, halted: false },
  },
  {
    law: 'what a lower epoch wrote in its reign is a duplicate, whatever its bytes',
    steps: [
      [command(1), 'applied'],
      [command(2), 'applied'],
      [claim(2, second), 'claimed'],
      [command(1), 'duplicate'],
      [command(2), 'duplicate'],
      [command(2, { variation: 1 }), 'duplicate'],
      [command(3), 'fenced'],
    ],
    after: { filed: 1, halted: false },
  },
  {
    law: 'a reign covers only its own stretch',
    steps: [
      [command(1), 'applied'],
      [command(2), 'applied'],
      [claim(2, second), 'claimed'],
      [command(3, bySecond), 'applied'],
      [command(4, bySecond), 'applied'],
      [claim(3, third), 'claimed'],
      [command(2, bySecond), 'fenced'],
      [command(3, bySecond), 'duplicate'],
      [command(4, bySecond), 'duplicate'],
      [command(5, bySecond), 'fenced'],
      [command(2), 'duplicate'],
      [command(3), 'fenced'],
    ],
    after: { filed: 3 },
  },
  {
    law: 'a reign covers only its own writer',
    steps: [
      [command(1), 'applied'],
      [claim(2, second), 'claimed'],
      [command(1, { writer: third }), 'fenced'],
      [command(1, { epoch: 1, writer: second }), 'fenced'],
    ],
    after: { filed: 2 },
  },
  {
    law: 'another writer of the present epoch is fenced',
    steps: [
      [command(1), 'applied'],
      [command(1, { writer: second }), 'fenced'],
      [command(2, { writer: second }), 'fenced'],
      [command(3, { writer: second }), 'fenced'],
      [command(2), 'applied'],
    ],
    after: { last: 2, filed: 3, halted: false },
  },
  {
    law: 'a reign that merged with older ones covers what any of them wrote',
    steps: [
      ...Array.from({ length: 18 }, (_, index) => index + 1).flatMap(
        (epoch): [ReturnType<typeof command> | ReturnType<typeof claim>, string][] => [
          [claim(epoch, first), 'claimed'],
          [command(epoch, { epoch }), 'applied'],
        ],
      ),
      [command(1, { epoch: 1 }), 'duplicate'],
      [command(2, { epoch: 1 }), 'duplicate'],
      [command(1, { epoch: 2 }), 'duplicate'],
      [command(2, { epoch: 2, writer: third }), 'duplicate'],
      [command(3, { epoch: 2 }), 'fenced'],
      [command(2, { epoch: 3 }), 'fenced'],
      [command(3, { epoch: 3 }), 'duplicate'],
    ],
    after: { last: 18, filed: 2 },
  },
  {
    law: 'a halted session still fences a lower epoch',
    steps: [
      [claim(2, second), 'claimed'],
      [command(1, bySecond), 'applied'],
      [command(1, { ...bySecond, variation: 1 }), 'conflict'],
      [command(2), 'fenced'],
    ],
    after: { parkedCommands: 0, halted: true },
  },
  {
    law: 'a higher epoch without a claim never writes',
    steps: [
      [command(1), 'applied'],
      [command(2, bySecond), 'unclaimed'],
      [command(1, bySecond), 'unclaimed'],
      [command(9, { epoch: 9 }), 'unclaimed'],
      [command(3, { ...byThird, valid: false }), 'unclaimed'],
      [command(2), 'applied'],
    ],
    after: { epoch: 1, last: 2, filed: 4, halted: false, parkedCommands: 0 },
  },
  {
    law: 'number 1 opens the first reign, in any epoch, and what came before it drains',
    steps: [
      [command(3, bySecond), 'parked'],
      [command(2, bySecond), 'parked'],
      [command(1, bySecond), 'applied 3, drained 2'],
    ],
    after: { epoch: 2, writer: second, first: 1, last: 3, presence: 'known', entries: 3, earlier: [] },
  },
  {
    law: 'number 1 opens the first reign even if it is not valid, and can be repaired',
    steps: [
      [command(2), 'parked'],
      [command(1, { valid: false }), 'refused'],
      [command(1, { epoch: 2, writer: second }), 'unclaimed'],
      [command(1), 'applied 2, drained'],
    ],
    after: { epoch: 1, writer: first, last: 2, filed: 2 },
  },
  {
    law: 'a session without a reign parks whatever is not number 1, once',
    steps: [
      [command(2), 'parked'],
      [command(2), 'duplicate'],
      [command(2, { variation: 1 }), 'conflict'],
      [command(2, bySecond), 'conflict'],
      [command(2, { writer: second }), 'conflict'],
      [command(2, { epoch: 2 }), 'conflict'],
      [command(3, byThird), 'parked'],
    ],
    after: { epoch: 0, writer: undefined, first: 0, presence: 'unknown', halted: false, parkedCommands: 2, filed: 4 },
  },
  {
    law: 'what waited for the first reign and is not of it becomes a dead letter when its turn comes',
    steps: [
      [command(2), 'parked'],
      [command(3, byThird), 'parked'],
      [command(1, bySecond), 'applied, drained, fenced'],
      [command(2, bySecond), 'applied, drained, unclaimed'],
      [command(3, bySecond), 'applied'],
    ],
    after: { last: 3, filed: 2, parkedCommands: 0, halted: false },
  },
  {
    law: 'a number from before the own claim is a conflict, even with the same bytes',
    steps: [
      [command(1), 'applied'],
      [command(2), 'applied'],
      [claim(2, second), 'claimed'],
      [command(2, bySecond), 'conflict'],
      [command(3, bySecond), 'parked'],
      [command(1, bySecond), 'conflict'],
    ],
    after: { last: 2, halted: true, filed: 2, parkedCommands: 1 },
  },
  {
    law: 'a number from before the own claim is a conflict, however old it is',
    steps: [
      ...Array.from({ length: 20 }, (_, index): [ReturnType<typeof command>, string] => [
        command(index + 1),
        'applied',
      ]),
      [claim(2, second), 'claimed'],
      [command(1, bySecond), 'conflict'],
    ],
    after: { last: 20, halted: true },
  },
];
