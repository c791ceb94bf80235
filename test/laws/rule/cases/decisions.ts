import { claim, command, first, second, skip, third, types } from '../commands.ts';
import type { Case } from './case.ts';

const bySecond = { epoch: 2, writer: second };

/** Row 3: claims. */
export const claimCases: readonly Case[] = [
  {
    law: 'a claim with a higher epoch makes its writer the only one',
    steps: [
      [command(1), 'applied'],
      [claim(2, second), 'claimed'],
      [command(2), 'fenced'],
      [command(2, bySecond), 'applied'],
    ],
    after: { epoch: 2, writer: second, first: 2, last: 2, earlier: [{ epoch: 1, writer: first, first: 1, last: 1 }] },
  },
  {
    law: 'a claim takes no sequence and makes no session known',
    steps: [[claim(7, first), 'claimed']],
    after: { presence: 'unknown', epoch: 7, writer: first, first: 1, last: 0, earlier: [] },
  },
  {
    law: 'a claim turns everything that waits into fenced dead letters',
    steps: [
      [command(1), 'applied'],
      [command(3), 'parked'],
      [command(4), 'parked'],
      [claim(2, second), 'claimed, fenced 2'],
      [command(3), 'duplicate'],
      [command(3, bySecond), 'parked'],
      [command(2, bySecond), 'applied 2, drained'],
    ],
    after: { last: 3, filed: 2, parkedCommands: 0, parkedBytes: 0 },
  },
  {
    law: 'a claim fences what waited for the first reign, its own commands included',
    steps: [
      [command(2, bySecond), 'parked'],
      [command(3), 'parked'],
      [claim(2, second), 'claimed, fenced 2'],
      [command(1, bySecond), 'applied'],
    ],
    after: { last: 1, filed: 2, parkedCommands: 0 },
  },
  {
    law: 'a claim ends a halt',
    steps: [
      [command(1), 'applied'],
      [command(1, { variation: 1 }), 'conflict'],
      [claim(2, second), 'claimed'],
      [command(2, bySecond), 'applied'],
    ],
    after: { halted: false, last: 2 },
  },
  {
    law: 'a claim forgets that a number was refused',
    steps: [
      [command(1), 'applied'],
      [command(2, { valid: false }), 'refused'],
      [claim(2, second), 'claimed'],
      [skip(2, 2, 'a'), 'stale decision'],
    ],
    after: { refused: false, last: 1 },
  },
  {
    law: 'a claim forgets skipped numbers: they lie before it',
    steps: [
      [command(1, { valid: false }), 'refused'],
      [skip(1, 1, 'a'), 'skipped'],
      [claim(2, second), 'claimed'],
      [command(1, bySecond), 'conflict'],
    ],
    after: { skipped: [], halted: true },
  },
  {
    law: 'the claim of the present reign is a duplicate',
    steps: [
      [claim(2, second), 'claimed'],
      [command(1, bySecond), 'applied'],
      [command(3, bySecond), 'parked'],
      [claim(2, second), 'duplicate'],
    ],
    after: { first: 1, parkedCommands: 1, earlier: [], filed: 0 },
  },
  {
    law: 'the claim of a reign that began without one is a duplicate',
    steps: [
      [command(1), 'applied'],
      [claim(1, first), 'duplicate'],
    ],
    after: { filed: 0, first: 1 },
  },
  {
    law: 'the claim of an earlier reign is a duplicate, also of one that wrote nothing',
    steps: [
      [claim(1, first), 'claimed'],
      [claim(2, second), 'claimed'],
      [claim(3, third), 'claimed'],
      [claim(1, first), 'duplicate'],
      [claim(2, second), 'duplicate'],
    ],
    after: { epoch: 3, filed: 0 },
  },
  {
    law: 'any other claim that is not above the epoch is fenced',
    steps: [
      [claim(3, first), 'claimed'],
      [claim(3, second), 'fenced'],
      [claim(2, first), 'fenced'],
      [claim(1, third), 'fenced'],
    ],
    after: { epoch: 3, writer: first, filed: 3 },
  },
  {
    law: 'the oldest of 17 earlier reigns merge, and then stand for every epoch up to their own',
    steps: [
      ...Array.from({ length: 17 }, (_, index): [ReturnType<typeof claim>, string] => [
        claim(index * 2 + 2, first),
        'claimed',
      ]),
      [claim(2, second), 'fenced'],
      [claim(3, second), 'fenced'],
      [claim(36, first), 'claimed'],
      [claim(2, third), 'duplicate'],
      [claim(3, third), 'duplicate'],
      [claim(4, third), 'duplicate'],
      [claim(5, third), 'fenced'],
      [claim(6, third), 'fenced'],
      [claim(6, first), 'duplicate'],
    ],
    after: { epoch: 36, filed: 4 },
  },
];

/** Row 3: skips. */
export const skipCases: readonly Case[] = [
  {
    law: 'a skip passes a refused number',
    steps: [
      [command(1), 'applied'],
      [command(2, { valid: false }), 'refused'],
      [skip(2, 1, 'a'), 'skipped'],
      [command(3), 'applied'],
    ],
    after: { last: 3, skipped: [2], refused: false, entries: 2, filed: 2 },
  },
  {
    law: 'a skip passes a missing number for which later ones wait, and they drain',
    steps: [
      [command(1), 'applied'],
      [command(4), 'parked'],
      [skip(2, 1, 'a'), 'skipped'],
      [skip(3, 1, 'b'), 'applied, drained, skipped'],
    ],
    after: { last: 4, skipped: [2, 3], parkedCommands: 0, filed: 2 },
  },
  {
    law: 'a skip that counted is remembered, and its redelivery is a duplicate',
    steps: [
      [command(1, { valid: false }), 'refused'],
      [skip(1, 1, 'a'), 'skipped'],
      [skip(1, 1, 'a'), 'duplicate'],
      [skip(1, 1, 'b'), 'stale decision'],
    ],
    after: { last: 1, filed: 3 },
  },
  {
    law: 'a skip of a number that is not the next is stale',
    steps: [
      [command(1), 'applied'],
      [command(4), 'parked'],
      [skip(1, 1, 'a'), 'stale decision'],
      [skip(3, 1, 'b'), 'stale decision'],
      [skip(4, 1, 'c'), 'stale decision'],
    ],
    after: { last: 1, parkedCommands: 1, skipped: [] },
  },
  {
    law: 'a skip for another epoch is stale',
    steps: [
      [claim(2, second), 'claimed'],
      [command(1, { ...bySecond, valid: false }), 'refused'],
      [skip(1, 1, 'a'), 'stale decision'],
      [skip(1, 3, 'b'), 'stale decision'],
      [skip(1, 2, 'c'), 'skipped'],
    ],
    after: { last: 1 },
  },
  {
    law: 'a skip on a halted session is stale',
    steps: [
      [command(1), 'applied'],
      [command(3), 'parked'],
      [command(1, { variation: 1 }), 'conflict'],
      [skip(2, 1, 'a'), 'stale decision'],
    ],
    after: { last: 1, halted: true, parkedCommands: 1 },
  },
  {
    law: 'a skip where nothing is blocked is stale',
    steps: [
      [command(1), 'applied'],
      [skip(2, 1, 'a'), 'stale decision'],
      [command(2), 'applied'],
    ],
    after: { last: 2, skipped: [] },
  },
  {
    law: 'a skip does not count once the refused number was repaired',
    steps: [
      [command(1, { valid: false }), 'refused'],
      [command(1), 'applied'],
      [skip(2, 1, 'a'), 'stale decision'],
    ],
    after: { last: 1 },
  },
  {
    law: 'a skip on a session without a reign is stale, whatever waits',
    steps: [
      [skip(1, 1, 'a'), 'stale decision'],
      [command(2), 'parked'],
      [skip(1, 1, 'b'), 'stale decision'],
      [command(1), 'applied 2, drained'],
    ],
    after: { last: 2, filed: 2 },
  },
  {
    law: 'a skip alone makes no session known',
    steps: [
      [command(1, { type: types.create, valid: false }), 'refused'],
      [skip(1, 1, 'a'), 'skipped'],
    ],
    after: { presence: 'unknown', last: 1 },
  },
];
