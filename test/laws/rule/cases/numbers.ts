import { claim, command, second, skip, types } from '../commands.ts';
import type { Case } from './case.ts';

const bySecond = { epoch: 2, writer: second };
const applied = (count: number): readonly [ReturnType<typeof command>, string][] =>
  Array.from({ length: count }, (_, index) => [command(index + 1), 'applied']);

/** Rows 7 to 11: commands of the reigning writer. */
export const numberCases: readonly Case[] = [
  {
    law: 'a skipped number stays skipped without a halt, whatever its bytes',
    steps: [
      [command(1), 'applied'],
      [command(3), 'parked'],
      [skip(2, 1, 'a'), 'applied, drained, skipped'],
      [command(2), 'skipped dead'],
      [command(2, { variation: 1 }), 'skipped dead'],
      [command(2, { valid: false }), 'skipped dead'],
      [command(4), 'applied'],
    ],
    after: { last: 4, halted: false, skipped: [2], entries: 3, filed: 4 },
  },
  {
    law: 'a skipped number stays skipped when it is older than the 16 remembered',
    steps: [
      [command(1, { valid: false }), 'refused'],
      [skip(1, 1, 'a'), 'skipped'],
      ...Array.from({ length: 20 }, (_, index): [ReturnType<typeof command>, string] => [
        command(index + 2),
        'applied',
      ]),
      [command(1), 'skipped dead'],
    ],
    after: { last: 21, halted: false },
  },
  {
    law: 'a command that comes again is a duplicate',
    steps: [
      [command(1), 'applied'],
      [command(2), 'applied'],
      [command(1), 'duplicate'],
      [command(2), 'duplicate'],
    ],
    after: { last: 2, entries: 2, filed: 0 },
  },
  {
    law: 'other bytes under an applied number are a conflict and halt the session',
    steps: [
      [command(1), 'applied'],
      [command(2), 'applied'],
      [command(2, { variation: 1 }), 'conflict'],
      [command(3), 'parked'],
      [command(1), 'duplicate'],
      [command(1, { variation: 1 }), 'conflict'],
    ],
    after: { last: 2, halted: true, parkedCommands: 1, filed: 2 },
  },
  {
    law: 'another type under an applied number is a conflict, even with the same data',
    steps: [
      [command(1, { type: types.create }), 'applied'],
      [command(1, { type: types.delete }), 'conflict'],
    ],
    after: { halted: true, presence: 'known' },
  },
  {
    law: 'bytes that are not valid under an applied number are a conflict',
    steps: [
      [command(1), 'applied'],
      [command(1, { valid: false }), 'conflict'],
    ],
    after: { halted: true },
  },
  {
    law: 'the 16 latest commands are remembered, and older ones are duplicates whatever their bytes',
    steps: [
      ...applied(20),
      [command(4, { variation: 1 }), 'duplicate'],
      [command(1, { valid: false }), 'duplicate'],
      [command(5), 'duplicate'],
      [command(5, { variation: 1 }), 'conflict'],
    ],
    after: { last: 20, halted: true, filed: 1 },
  },
  {
    law: 'a skipped number takes the place of one of the 16',
    steps: [
      ...applied(4),
      [command(5, { valid: false }), 'refused'],
      [skip(5, 1, 'a'), 'skipped'],
      ...Array.from({ length: 15 }, (_, index): [ReturnType<typeof command>, string] => [
        command(index + 6),
        'applied',
      ]),
      [command(4, { variation: 1 }), 'duplicate'],
      [command(6, { variation: 1 }), 'conflict'],
    ],
    after: { last: 20, halted: true },
  },
  {
    law: 'what comes too early waits, and drains once what was missing arrives',
    steps: [
      [command(1), 'applied'],
      [command(4), 'parked'],
      [command(3), 'parked'],
      [command(6), 'parked'],
      [command(2), 'applied 3, drained 2'],
      [command(5), 'applied 2, drained'],
    ],
    after: { last: 6, entries: 6, parkedCommands: 0, parkedBytes: 0, filed: 0 },
  },
  {
    law: 'a parked command that comes again is a duplicate, and another in its place a conflict without a halt',
    steps: [
      [command(1), 'applied'],
      [command(3), 'parked'],
      [command(3), 'duplicate'],
      [command(3, { variation: 1 }), 'conflict'],
      [command(2), 'applied 2, drained'],
    ],
    after: { last: 3, halted: false, filed: 1 },
  },
  {
    law: 'a halted session parks even the next number, until a claim',
    steps: [
      [command(1), 'applied'],
      [command(1, { variation: 1 }), 'conflict'],
      [command(2), 'parked'],
      [command(2), 'duplicate'],
      [command(2, { variation: 1 }), 'conflict'],
      [command(3, { valid: false }), 'parked'],
      [claim(2, second), 'claimed, fenced 2'],
      [command(2, bySecond), 'applied'],
    ],
    after: { last: 2, halted: false, parkedCommands: 0, filed: 4 },
  },
  {
    law: 'what is not valid is refused at its turn, and later ones wait for it',
    steps: [
      [command(1), 'applied'],
      [command(3, { valid: false }), 'parked'],
      [command(4), 'parked'],
      [command(2), 'applied, drained, refused'],
      [command(5), 'parked'],
    ],
    after: { last: 2, refused: true, halted: false, parkedCommands: 2, filed: 1 },
  },
  {
    law: 'other bytes from the reigning writer repair a refused number, and what waits drains',
    steps: [
      [command(1), 'applied'],
      [command(2, { valid: false }), 'refused'],
      [command(3), 'parked'],
      [command(2, { valid: false, variation: 1 }), 'refused'],
      [command(2, { writer: second }), 'fenced'],
      [command(2, bySecond), 'unclaimed'],
      [command(2, { variation: 2 }), 'applied 2, drained'],
    ],
    after: { last: 3, refused: false, filed: 4, parkedCommands: 0 },
  },
  {
    law: 'an unknown command type is refused like any other that is not valid',
    steps: [
      [command(1, { type: types.create, valid: false }), 'refused'],
      [command(1, { type: types.create }), 'applied'],
    ],
    after: { last: 1, presence: 'known' },
  },
  {
    law: 'no session notices what happens to another',
    steps: [
      [command(1), 'applied'],
      [command(1, { session: 't' }), 'applied'],
      [command(1, { variation: 1, session: 't' }), 'conflict'],
      [command(2, { valid: false, session: 'u' }), 'parked'],
      [claim(5, second, 'u'), 'claimed, fenced'],
      [command(2), 'applied'],
    ],
    after: { last: 2, halted: false, epoch: 1, filed: 0 },
  },
];
