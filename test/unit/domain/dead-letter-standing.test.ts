import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, NumberedCommand } from '../../../src/domain/command.ts';
import { type DeadLetterStanding, mayBeDecided, standingOf } from '../../../src/domain/dead-letter-standing.ts';
import type { Delivery } from '../../../src/domain/delivery.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import type { DeadLetter, Decision, FiledId } from '../../../src/domain/plan.ts';
import { twinDetail } from '../../../src/domain/rule/decide.ts';
import { decodeBinary, encodeBinary } from '../../../src/domain/wire/binary.ts';
import { deliveryOf } from '../../laws/rule/deliveries.ts';
import { anyHistory } from '../../laws/rule/histories.ts';
import { planBatch } from '../../laws/rule/plan-batch.ts';
import { PlanStore, type StoredSession } from '../../laws/rule/plan-store.ts';
import { append, claim, create, numbered, skip } from '../../support/commands.ts';

const id = 'ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b00';

function lettersOf({ filed }: StoredSession): readonly DeadLetter[] {
  return [...filed.values()].filter((record) => record.kind === 'dead letter');
}

function decisionsOf({ filed }: StoredSession): readonly Decision[] {
  return [...filed.values()].filter((record) => record.kind === 'decision');
}

function standingIn(stored: StoredSession, letter: DeadLetter): DeadLetterStanding {
  const decisions = mayBeDecided(letter, stored.cursor) ? decisionsOf(stored) : [];
  return standingOf(letter, stored.cursor, decisions);
}

function delivered(commands: readonly Command[]): readonly Delivery[] {
  return commands.map((command, offset) => {
    const message = encodeBinary(command);
    return { content: decodeBinary(message), position: { partition: 0, offset }, message: () => message };
  });
}

/** How each dead letter of the one session stands after the commands, in the order in which they were filed. */
function standingsAfter(commands: readonly Command[]): readonly (readonly [string, DeadLetterStanding])[] {
  const store = new PlanStore();
  store.take(planBatch, delivered(commands));
  return [...store.sessions.values()].flatMap((stored) =>
    lettersOf(stored).map((letter) => [`${letter.reason} ${letter.sequence}`, standingIn(stored, letter)] as const),
  );
}

const two = { epoch: 2, writer: '//test/two' };
const start = [create(1), append(2, 'two')];
const refused = numbered('macp.log.append.v1', 3, '{}');
const conflict = append(2, 'other two');
const misnamed = (command: NumberedCommand): Command => ({ ...command, id: 'not-the-id' });
const lostAhead = append(3, 'three of two', two);

describe('a dead letter', () => {
  test('is open exactly while it halts its session or leaves a number of it open, in every history', () => {
    const held = { open: 0, resolved: 0, kept: 0 };
    fc.assert(
      fc.property(anyHistory(40), (history) => {
        const store = new PlanStore();
        const heldUp = new Map<FiledId, boolean>();
        for (const [offset, each] of history.entries()) {
          store.take(planBatch, [deliveryOf(each, offset)]);
          for (const stored of store.sessions.values()) {
            const { cursor } = stored;
            const open = { conflict: 0, refused: 0 };
            for (const letter of lettersOf(stored)) {
              const { sequence, reason, id: filed } = letter;
              const { state, standing, decided } = standingIn(stored, letter);
              held[state] += 1;
              const isNew = !heldUp.has(filed);
              // Only a halting conflict comes under a number that is taken.
              const halts = reason === 'conflict' && sequence !== undefined && sequence <= cursor.last;
              // What waits under the number itself waits for none that was refused beside it.
              const blocks = reason === 'refused' && sequence !== undefined && !stored.parked.has(sequence);
              if (isNew) heldUp.set(filed, halts || blocks);
              if (state === 'open' && (reason === 'conflict' || reason === 'refused')) open[reason] += 1;
              if (reason === 'conflict' || reason === 'refused') expect(state === 'kept').toBe(!heldUp.get(filed));
              expect(standing === undefined).toBe(state === 'kept');
              if (state === 'open') expect(sequence === cursor.last + 1 || cursor.halted).toBe(true);
              const heldNobody = reason === 'skipped' || (reason === 'refused' && !heldUp.get(filed));
              if (decided !== undefined) expect(state).toBe(heldNobody ? 'kept' : 'resolved');
            }
            expect(open.conflict > 0).toBe(cursor.halted);
            expect(open.refused > 0).toBe(cursor.refused);
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(Math.min(held.open, held.resolved, held.kept)).toBeGreaterThan(0);
  });

  test('that was skipped tells who decided and why, in every history, also once the reign has ended', () => {
    let decided = 0;
    fc.assert(
      fc.property(anyHistory(40), (history) => {
        const store = new PlanStore();
        store.take(planBatch, history.map(deliveryOf));
        for (const stored of store.sessions.values()) {
          const letters = lettersOf(stored).filter(
            (letter) => letter.reason === 'refused' || letter.reason === 'skipped',
          );
          for (const { epoch, sequence, by, reason } of decisionsOf(stored)) {
            for (const letter of letters) {
              if (letter.epoch !== epoch || letter.sequence !== sequence) continue;
              decided += 1;
              const { refusal } = letter;
              const isTwin = refusal !== undefined && letter.detail === twinDetail(sequence, refusal);
              const state = letter.reason === 'skipped' || isTwin ? 'kept' : 'resolved';
              expect(standingIn(stored, letter)).toMatchObject({ state, decided: { by, reason } });
            }
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(decided).toBeGreaterThan(0);
  });

  const table: readonly (readonly [string, readonly Command[], string, Partial<DeadLetterStanding>])[] = [
    ['refused, its number open', [refused], 'refused 3', { state: 'open' }],
    ['refused, its number repaired', [refused, append(3, 'three')], 'refused 3', { state: 'resolved' }],
    [
      'refused, its number skipped',
      [refused, skip(3, 1, `${id}1`)],
      'refused 3',
      { state: 'resolved', decided: { by: 'operator', reason: 'lost' } },
    ],
    [
      'refused, its reign ended by a claim',
      [refused, claim(2, '//test/two'), append(3, 'three', two)],
      'refused 3',
      { state: 'resolved', standing: 'the claim of epoch 2 by //test/two ended the reign in which number 3 was open' },
    ],
    ['a conflict, its session halted', [conflict], 'conflict 2', { state: 'open' }],
    [
      'a conflict, its halt ended by a claim',
      [conflict, claim(2, '//test/two'), claim(3, '//test/three')],
      'conflict 2',
      { state: 'resolved', standing: 'the claim of epoch 2 by //test/two ended the halt' },
    ],
    ['a conflict with a waiting command', [append(5, 'a'), append(5, 'b')], 'conflict 5', { state: 'kept' }],
    [
      'a conflict with a waiting command that was applied since, while another conflict halts',
      [append(4, 'a'), append(4, 'b'), append(3, 'three'), conflict],
      'conflict 4',
      { state: 'kept' },
    ],
    [
      'refused for an attribute before its turn, and corrected before its turn',
      [misnamed(append(4, 'four')), append(4, 'four')],
      'refused 4',
      { state: 'kept', standing: undefined },
    ],
    [
      'refused beside the same data that waited, while another conflict halts',
      [conflict, append(3, 'three'), misnamed(append(3, 'three'))],
      'refused 3',
      { state: 'kept' },
    ],
    ['fenced', [claim(2, '//test/two'), append(3, 'late')], 'fenced 3', { state: 'kept' }],
    [
      'of a number that was skipped',
      [refused, skip(3, 1, `${id}1`), append(3, 'c')],
      'skipped 3',
      { state: 'kept', standing: undefined, decided: { by: 'operator', reason: 'lost' } },
    ],
    [
      'of a number that was skipped in a reign that a claim has ended since',
      [append(4, 'waits'), skip(3, 1, `${id}1`), append(3, 'late'), claim(2, '//test/two')],
      'skipped 3',
      { state: 'kept', decided: { by: 'operator', reason: 'lost' } },
    ],
    ['a stale decision', [skip(3, 1, `${id}1`)], 'stale decision 3', { state: 'kept' }],
    ['unclaimed, its reign never began', [lostAhead], 'unclaimed 3', { state: 'kept' }],
    [
      'unclaimed, its number open in its reign by now, with others behind it',
      [lostAhead, claim(2, '//test/two'), lostAhead, append(4, 'four', two)],
      'unclaimed 3',
      { state: 'open' },
    ],
    [
      'unclaimed, its number taken by other data in its reign',
      [lostAhead, claim(2, '//test/two'), append(3, 'other', two)],
      'unclaimed 3',
      { state: 'resolved', standing: 'other data was applied under number 3' },
    ],
    [
      'unclaimed, of a number that its writer does not give',
      [append(2, 'old', two), claim(2, '//test/two')],
      'unclaimed 2',
      { state: 'kept' },
    ],
  ];
  test.each(table)('%s', (_, commands, letter, expected) => {
    const standings = standingsAfter([...start, ...commands]);
    expect(standings.find(([name]) => name === letter)?.[1]).toMatchObject(expected);
  });

  test('that overflowed holds its session up once its number is open: sent again it is a duplicate', () => {
    const store = new PlanStore();
    const waiting = Array.from({ length: 10_000 }, (_, index) => append(index + 4, `${index}`));
    const overflow = append(10_004, 'overflow');
    store.take(planBatch, delivered([...start, ...waiting, overflow]));
    const state = (): string[] =>
      [...store.sessions.values()].flatMap((stored) =>
        lettersOf(stored).map((letter) => standingIn(stored, letter).state),
      );
    expect(state()).toEqual(['kept']);
    store.take(planBatch, delivered([append(3, 'three'), append(10_005, 'behind'), overflow]));
    expect(store.sessions.get(overflow.session as SessionId)?.cursor).toMatchObject({
      last: 10_003,
      parkedCommands: 1,
    });
    expect(state()).toEqual(['open']);
    store.take(planBatch, delivered([skip(10_004, 1, `${id}1`)]));
    expect(state()).toEqual(['resolved']);
  });
});
