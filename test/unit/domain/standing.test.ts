import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import type { Content } from '../../../src/domain/delivery.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { decide } from '../../../src/domain/rule/decide.ts';
import { describeObstacle, obstacleOf, remediesFor } from '../../../src/domain/standing.ts';
import { contentOf } from '../../../src/domain/wire/content.ts';
import { deliveryOf } from '../../laws/rule/deliveries.ts';
import { anyHistory } from '../../laws/rule/histories.ts';
import { planBatch } from '../../laws/rule/plan-batch.ts';
import { PlanStore } from '../../laws/rule/plan-store.ts';
import { append, claim, skip } from '../../support/commands.ts';

const session = 'a-session-of-the-tests-1' as SessionId;

function outcome(cursor: Cursor, content: Content): string {
  return decide({ cursor, parkedThere: undefined, isFiled: false }, content).kind;
}

/** What would happen to each way of going on from `cursor`. */
function waysOn(cursor: Cursor) {
  const next = cursor.last + 1;
  const { epoch, writer = '//test/new' } = cursor;
  return {
    next: outcome(cursor, contentOf(append(next, 'next', { epoch: Math.max(1, epoch), writer }))),
    skip: outcome(cursor, contentOf(skip(next, epoch, '0f8f3c1e-6f0e-4c7e-9d5e-2f5a5c0f8b11'))),
    claim: outcome(cursor, contentOf(claim(epoch + 1, '//test/fresh'))),
  };
}

describe('what a session needs', () => {
  test('is what the rule takes, after every history', () => {
    fc.assert(
      fc.property(anyHistory(30), (history) => {
        const store = new PlanStore();
        store.take(planBatch, history.map(deliveryOf));
        for (const { cursor } of store.sessions.values()) {
          const obstacle = obstacleOf(cursor);
          const remedies = remediesFor(session, cursor).join('\n');
          const ways = waysOn(cursor);
          expect(ways.claim).toBe('claim');
          expect(['apply', 'open'].includes(ways.next)).toBe(obstacle?.kind !== 'halted');
          expect(remedies.includes('dead-letters skip')).toBe(cursor.epoch > 0 && ways.skip === 'skip');
          expect(remedies.includes('dead-letters repair')).toBe(obstacle !== undefined && ways.next === 'apply');
          expect(remedies.includes('let a new writer claim')).toBe(obstacle?.kind === 'halted');
          expect(remedies === '').toBe(obstacle === undefined);
        }
      }),
    );
  });

  test('is told with the number that is open, the writer, and a command line that names the session', () => {
    const cursor: Cursor = {
      ...initialCursor,
      epoch: 2 as Cursor['epoch'],
      writer: '//test/one' as Cursor['writer'],
      last: 6 as Cursor['last'],
      parkedCommands: 3,
    };
    const [first, repair, pass] = remediesFor("it's $HOME" as SessionId, cursor);
    expect(first).toContain('//test/one (epoch 2) send number 7');
    const words = (line = '') => execFileSync('sh', ['-c', `printf '%s\\n' ${line.split(': macp-persist ')[1]}`]);
    expect(String(words(repair)).split('\n').slice(0, 6)).toEqual([
      'dead-letters',
      'repair',
      "it's $HOME",
      'FILE',
      '--sequence',
      '7',
    ]);
    expect(String(words(pass)).split('\n').slice(0, 5)).toEqual([
      'dead-letters',
      'skip',
      "it's $HOME",
      '--sequence',
      '7',
    ]);
    expect(remediesFor(session, { ...cursor, halted: true })).toEqual([
      expect.stringMatching(/epoch above 2.*the 3 commands that wait become dead letters/),
    ]);
    expect(describeObstacle({ kind: 'gap', open: 7 as Cursor['last'] })).toContain('number 7');
  });
});
