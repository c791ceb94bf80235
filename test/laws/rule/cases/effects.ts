import { claim, command, second, types } from '../commands.ts';
import type { Case } from './case.ts';

const text = (sequence: number, type: (typeof types)[keyof typeof types], variation = 0) =>
  command(sequence, { type, variation }).data;
const entriesOf = (sequence: number, variation = 0): string[] =>
  (JSON.parse(text(sequence, types.replace, variation)) as unknown[]).map((entry) => JSON.stringify(entry));

/** What each command type does to the data of its session. */
export const effectCases: readonly Case[] = [
  {
    law: 'create makes a session known',
    steps: [[command(1, { type: types.create }), 'applied']],
    after: { presence: 'known', entries: 0, log: [], snapshot: undefined },
  },
  {
    law: 'create leaves what an existing session has',
    steps: [
      [command(1), 'applied'],
      [command(2, { type: types.save }), 'applied'],
      [command(3, { type: types.receipt }), 'applied'],
      [command(4, { type: types.create }), 'applied'],
    ],
    after: { entries: 1, log: [text(1, types.append)], snapshot: text(2, types.save), receipt: text(3, types.receipt) },
  },
  {
    law: 'append adds an entry at the end of the log and makes a session known',
    steps: [
      [command(1), 'applied'],
      [command(2), 'applied'],
    ],
    after: { presence: 'known', entries: 2, log: [text(1, types.append), text(2, types.append)] },
  },
  {
    law: 'save replaces the snapshot and makes a session known',
    steps: [
      [command(1, { type: types.save }), 'applied'],
      [command(2, { type: types.save }), 'applied'],
    ],
    after: { presence: 'known', snapshot: text(2, types.save), entries: 0 },
  },
  {
    law: 'replace replaces the whole log, keeps the rest and makes a session known',
    steps: [
      [command(1, { type: types.replace }), 'applied'],
      [command(2, { type: types.save }), 'applied'],
      [command(3, { type: types.receipt }), 'applied'],
      [command(4, { type: types.anchor }), 'applied'],
      [command(5), 'applied'],
      [command(6, { type: types.replace, variation: 1 }), 'applied'],
      [command(7), 'applied'],
    ],
    after: {
      presence: 'known',
      log: [...entriesOf(6, 1), text(7, types.append)],
      entries: 2,
      snapshot: text(2, types.save),
      receipt: text(3, types.receipt),
      anchor: text(4, types.anchor),
    },
  },
  {
    law: 'replace with nothing empties the log',
    steps: [
      [command(1), 'applied'],
      [command(2, { type: types.replace, variation: 2 }), 'applied'],
    ],
    after: { presence: 'known', entries: 0, log: [] },
  },
  {
    law: 'delete removes snapshot, log, receipt and anchor, and goes on counting',
    steps: [
      [command(1), 'applied'],
      [command(2, { type: types.save }), 'applied'],
      [command(3, { type: types.receipt }), 'applied'],
      [command(4, { type: types.anchor }), 'applied'],
      [command(5, { variation: 2 }), 'applied'],
      [command(6, { type: types.delete }), 'applied'],
      [command(7, { type: types.delete }), 'applied'],
    ],
    after: {
      presence: 'deleted',
      last: 7,
      log: [],
      entries: 0,
      compactionBase: 0,
      snapshot: undefined,
      receipt: undefined,
      anchor: undefined,
      hasReceipt: false,
      hasAnchor: false,
    },
  },
  {
    law: 'the next command starts a deleted session anew, and a claim does not',
    steps: [
      [command(1), 'applied'],
      [command(2, { type: types.receipt }), 'applied'],
      [command(3, { type: types.delete }), 'applied'],
      [claim(2, second), 'claimed'],
      [command(4, { epoch: 2, writer: second, type: types.receipt }), 'applied'],
      [command(5, { epoch: 2, writer: second }), 'applied'],
      [command(6, { epoch: 2, writer: second, type: types.receipt }), 'applied'],
    ],
    after: { presence: 'known', log: [text(5, types.append)], receipt: text(6, types.receipt) },
  },
  {
    law: 'a deleted session stays deleted through a claim, a receipt and an anchor',
    steps: [
      [command(1), 'applied'],
      [command(2, { type: types.delete }), 'applied'],
      [claim(2, second), 'claimed'],
      [command(3, { epoch: 2, writer: second, type: types.receipt }), 'applied'],
      [command(4, { epoch: 2, writer: second, type: types.anchor }), 'applied'],
    ],
    after: { presence: 'deleted', last: 4, hasReceipt: false, hasAnchor: false },
  },
  {
    law: 'the first receipt stays',
    steps: [
      [command(1, { type: types.create }), 'applied'],
      [command(2, { type: types.receipt }), 'applied'],
      [command(3, { type: types.receipt }), 'applied'],
    ],
    after: { receipt: text(2, types.receipt), hasReceipt: true, last: 3 },
  },
  {
    law: 'the last anchor stays',
    steps: [
      [command(1, { type: types.create }), 'applied'],
      [command(2, { type: types.anchor }), 'applied'],
      [command(3, { type: types.anchor }), 'applied'],
    ],
    after: { anchor: text(3, types.anchor), hasAnchor: true },
  },
  {
    law: 'a receipt or an anchor on an unknown session counts as done without effect',
    steps: [
      [command(1, { type: types.receipt }), 'applied'],
      [command(2, { type: types.anchor }), 'applied'],
    ],
    after: { presence: 'unknown', last: 2, receipt: undefined, anchor: undefined, hasReceipt: false, hasAnchor: false },
  },
  {
    law: 'the base is the largest number of compacted ordinals in the log',
    steps: [
      [command(1), 'applied'],
      [command(2, { type: types.replace }), 'applied'],
      [command(3), 'applied'],
      [command(4, { variation: 2 }), 'applied'],
      [command(5), 'applied'],
    ],
    after: { compactionBase: 4 },
  },
  {
    law: 'a replaced log brings its own base',
    steps: [
      [command(9, { variation: 2 }), 'parked'],
      ...Array.from({ length: 7 }, (_, index): [ReturnType<typeof command>, string] => [command(index + 1), 'applied']),
      [command(8, { variation: 2 }), 'applied 2, drained'],
      [command(10, { type: types.replace, variation: 1 }), 'applied'],
    ],
    after: { compactionBase: 0, entries: 1 },
  },
];
