import { claim, command, first, homeless, second, skip, third, unreadable } from '../commands.ts';
import type { Case } from './case.ts';

/** Rows 1 and 2: what is a dead letter already, and what cannot be read. */
export const deadLetterCases: readonly Case[] = [
  {
    law: 'an unclaimed command stays a dead letter even after its writer has claimed',
    steps: [
      [command(1), 'applied'],
      [command(2, { epoch: 2, writer: second }), 'unclaimed'],
      [command(2, { epoch: 2, writer: second }), 'duplicate'],
      [claim(2, second), 'claimed'],
      [command(2, { epoch: 2, writer: second }), 'duplicate'],
    ],
    after: { last: 1, filed: 1, halted: false },
  },
  {
    law: 'refused bytes that come again after their repair are a duplicate and no conflict',
    steps: [
      [command(1, { valid: false }), 'refused'],
      [command(1, { valid: false }), 'duplicate'],
      [command(1), 'applied'],
      [command(1, { valid: false }), 'duplicate'],
      [command(2), 'applied'],
    ],
    after: { last: 2, filed: 1, halted: false },
  },
  {
    law: 'a command refused for an attribute only is repaired by the same data with the attribute corrected',
    steps: [
      [command(1, { fault: 'misnamed' }), 'refused'],
      [command(1, { fault: 'misnamed' }), 'duplicate'],
      [command(1), 'applied'],
      [command(1, { fault: 'misnamed' }), 'duplicate'],
      [command(2), 'applied'],
    ],
    after: { last: 2, filed: 1, halted: false },
  },
  {
    law: 'a conflict that comes again is a duplicate and does not halt the next reign',
    steps: [
      [claim(2, second), 'claimed'],
      [command(1, { epoch: 2, writer: second }), 'applied'],
      [command(1, { epoch: 2, writer: second, variation: 1 }), 'conflict'],
      [command(1, { epoch: 2, writer: second, variation: 1 }), 'duplicate'],
      [claim(3, third), 'claimed'],
      [command(1, { epoch: 2, writer: second, variation: 1 }), 'duplicate'],
    ],
    after: { filed: 1, halted: false },
  },
  {
    law: 'a fenced command and a fenced claim that come again are duplicates',
    steps: [
      [claim(2, second), 'claimed'],
      [command(1), 'fenced'],
      [command(1), 'duplicate'],
      [claim(1, first), 'fenced'],
      [claim(1, first), 'duplicate'],
    ],
    after: { filed: 2 },
  },
  {
    law: 'a skipped command that comes again is a duplicate',
    steps: [
      [command(1), 'applied'],
      [command(3), 'parked'],
      [skip(2, 1, 'a'), 'applied, drained, skipped'],
      [command(2), 'skipped dead'],
      [command(2), 'duplicate'],
    ],
    after: { last: 3, filed: 2 },
  },
  {
    law: 'a stale decision that comes again is a duplicate even where it would count now',
    steps: [
      [command(1), 'applied'],
      [skip(2, 1, 'a'), 'stale decision'],
      [command(3), 'parked'],
      [skip(2, 1, 'a'), 'duplicate'],
      [skip(2, 1, 'b'), 'applied, drained, skipped'],
    ],
    after: { last: 3, filed: 2 },
  },
  {
    law: 'dead letters are told apart by epoch, writer, sequence and bytes',
    steps: [
      [claim(3, third), 'claimed'],
      [command(1, { epoch: 1, writer: first }), 'fenced'],
      [command(1, { epoch: 2, writer: first }), 'fenced'],
      [command(1, { epoch: 2, writer: second }), 'fenced'],
      [command(2, { epoch: 2, writer: second }), 'fenced'],
      [command(2, { epoch: 2, writer: second, variation: 1 }), 'fenced'],
      [claim(1, first), 'fenced'],
      [claim(2, first), 'fenced'],
      [claim(2, second), 'fenced'],
    ],
    after: { filed: 8 },
  },
  {
    law: 'the same event id is another decision in another session',
    steps: [
      [command(1), 'applied'],
      [command(1, { session: 't' }), 'applied'],
      [skip(2, 1, 'a'), 'stale decision'],
      [skip(2, 1, 'a', 't'), 'stale decision'],
    ],
    after: { filed: 1 },
  },
  {
    law: 'what waited for the first reign and is not of it becomes a dead letter once, however often it comes',
    steps: [
      [command(2, { epoch: 4, writer: second }), 'parked'],
      [command(3, { epoch: 4, writer: second }), 'parked'],
      [command(5, { epoch: 4, writer: second }), 'parked'],
      [command(1), 'applied, drained, unclaimed'],
      [command(2, { epoch: 4, writer: second }), 'duplicate'],
      [command(3, { epoch: 4, writer: second }), 'duplicate'],
      [command(2), 'applied, drained, unclaimed'],
      [command(3, { epoch: 4, writer: second }), 'duplicate'],
      [command(5, { epoch: 4, writer: second }), 'duplicate'],
      [claim(5, third), 'claimed, fenced'],
      [command(5, { epoch: 4, writer: second }), 'duplicate'],
    ],
    after: { filed: 3, parkedCommands: 0, last: 2 },
  },
  {
    law: 'what cannot be read is refused once, and no session waits for it',
    steps: [
      [command(1), 'applied'],
      [unreadable('x'), 'refused'],
      [unreadable('x'), 'duplicate'],
      [unreadable('y'), 'refused'],
      [unreadable('x', 't'), 'refused'],
      [skip(2, 1, 'a'), 'stale decision'],
      [command(2), 'applied'],
    ],
    after: { last: 2, filed: 3, refused: false, halted: false },
  },
  {
    law: 'what names no session is refused once and touches none',
    steps: [
      [homeless('x'), 'refused'],
      [homeless('x'), 'duplicate'],
      [homeless('y'), 'refused'],
      [command(1), 'applied'],
    ],
    after: { filed: 0, last: 1 },
  },
];
