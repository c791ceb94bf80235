import { describe, expect, test } from 'vitest';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import type { Sequence, SessionId } from '../../../src/domain/identifiers.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { claim, command, second, types } from '../../laws/rule/commands.ts';
import { deliveryOf } from '../../laws/rule/deliveries.ts';
import { factsOfStore } from '../../laws/rule/facts.ts';
import type { NaiveDelivery, NumberedDelivery } from '../../laws/rule/naive-delivery.ts';
import { planBatch } from '../../laws/rule/plan-batch.ts';
import { PlanStore } from '../../laws/rule/plan-store.ts';
import { countsOf } from '../../laws/rule/run-case.ts';

const largest = 16 * 1024 * 1024;

/** A receipt of so many bytes: opaque, so that its size costs no parsing. */
function receipt(sequence: number, bytes: number, session = 's', byte = 'r'): NumberedDelivery {
  return { ...command(sequence, { session, type: types.receipt }), data: byte.repeat(bytes) };
}

function take(store: PlanStore, deliveries: readonly NaiveDelivery[]): readonly Plan['tally'][] {
  return store.take(planBatch, deliveries.map(deliveryOf));
}

describe('bounds of what waits', () => {
  test('10,000 commands of a session wait, one more is an overflow without a halt', () => {
    const store = new PlanStore();
    const waiting = Array.from({ length: 10_000 }, (_, index) => command(index + 3));
    expect(take(store, [command(1), ...waiting]).map(countsOf)).toEqual(['applied, parked 10000']);
    expect(take(store, [command(10_003)]).map(countsOf)).toEqual(['overflow']);
    expect(take(store, [command(10_003), command(12_000)]).map(countsOf)).toEqual(['duplicate, overflow']);
    expect(take(store, [command(5)]).map(countsOf)).toEqual(['duplicate']);
    expect(take(store, [command(5, { variation: 1 })]).map(countsOf)).toEqual(['conflict']);
    expect(take(store, [command(1, { session: 't' }), command(3, { session: 't' })]).map(countsOf)).toEqual([
      'applied, parked',
    ]);
    expect(take(store, [command(2)]).map(countsOf)).toEqual(['applied 10001, drained 10000']);
    expect(Object.values(factsOfStore(store).sessions)[0]).toMatchObject({
      last: 10_002,
      halted: false,
      parkedCommands: 0,
      filed: 3,
    });
  });

  test('64 MiB of a session wait, one more byte is an overflow', () => {
    const store = new PlanStore();
    const waiting = [3, 4, 5, 6].map((sequence) => receipt(sequence, largest));
    expect(take(store, [command(1), ...waiting, receipt(7, 1)]).map(countsOf)).toEqual(['applied, parked 4, overflow']);
    expect(take(store, [command(8, { type: types.create })]).map(countsOf)).toEqual(['parked']);
    expect(store.sessions.get('s' as SessionId)?.cursor.parkedBytes).toBe(4 * largest);
  });

  test('a number that is drained makes room again', () => {
    const store = new PlanStore();
    const waiting = [3, 5, 6, 7].map((sequence) => receipt(sequence, largest));
    take(store, [command(1), ...waiting, command(2)]);
    expect(store.sessions.get('s' as SessionId)?.cursor.parkedBytes).toBe(3 * largest);
    expect(take(store, [receipt(8, largest), receipt(9, 1)]).map(countsOf)).toEqual(['parked, overflow']);
  });

  test('a claim makes room again', () => {
    const store = new PlanStore();
    take(store, [command(1), ...[3, 4, 5, 6].map((sequence) => receipt(sequence, largest))]);
    const later = { ...receipt(3, largest), epoch: 2, writer: second };
    expect(take(store, [claim(2, second), later]).map(countsOf)).toEqual(['parked, claimed, fenced 4']);
  });

  test('a batch ends once it has drained more than 64 MiB, and goes on in the next', () => {
    const store = new PlanStore();
    const sessions = ['s', 't', 'u'];
    const waiting = sessions.flatMap((session) => [3, 4, 5].map((sequence) => receipt(sequence, largest, session)));
    const opening = sessions.map((session) => command(1, { session }));
    take(store, [...opening, ...waiting]);
    const closing = sessions.map((session) => command(2, { session }));
    expect(take(store, closing).map(countsOf)).toEqual(['applied 8, drained 6', 'applied 4, drained 3']);
    expect(Object.values(factsOfStore(store).sessions).map(({ last }) => last)).toEqual([5, 5, 5]);
  });
});

describe('what a plan says', () => {
  test('duplicates leave nothing to commit', () => {
    const store = new PlanStore();
    take(store, [command(1), command(3)]);
    const result = planBatch(knowledgeOf(store), [command(1), command(3), command(1)].map(deliveryOf));
    expect(result).toMatchObject({ kind: 'planned', decided: 3, plan: { changes: [], unreadable: [] } });
  });

  test('of several snapshots in one batch only the last is in the plan', () => {
    const saves = [1, 2, 3].map((sequence) => command(sequence, { type: types.save }));
    const result = planBatch(knowledgeOf(new PlanStore()), saves.map(deliveryOf));
    if (result.kind !== 'planned') throw new TypeError('nothing was parked');
    expect(result.plan.changes).toHaveLength(1);
    expect(result.plan.changes[0]?.snapshot).toEqual(Buffer.from(saves[2]?.data ?? ''));
  });

  test('entries from before a deletion or replacement in the same batch are not in the plan', () => {
    const story = [command(1), command(2, { type: types.delete }), command(3), command(4)];
    const result = planBatch(knowledgeOf(new PlanStore()), story.map(deliveryOf));
    if (result.kind !== 'planned') throw new TypeError('nothing was parked');
    expect(result.plan.changes[0]?.log).toMatchObject({ reset: true, entries: [{}, {}] });
  });

  test('parked commands that a batch needs whole are named, those of one drain together', () => {
    const store = new PlanStore();
    take(store, [command(1), command(3), command(4), command(6)]);
    const bare = { ...knowledgeOf(store), parkedCommand: () => undefined };
    expect(planBatch(bare, [deliveryOf(command(2), 9)])).toEqual({
      kind: 'missing',
      parked: [{ session: 's', sequences: [3, 4] }],
    });
    expect(planBatch(bare, [deliveryOf(claim(2, second), 9)])).toEqual({
      kind: 'missing',
      parked: [{ session: 's', sequences: [3, 4, 6] }],
    });
  });

  test('a session adopted from upstream is opened by number 1 and keeps what it has', () => {
    const store = new PlanStore();
    const cursor: Cursor = { ...initialCursor, presence: 'known', entries: 1, hasReceipt: true };
    const receiptBytes = Buffer.from('its own');
    store.sessions.set('s' as SessionId, {
      cursor,
      log: [Buffer.from('{}')],
      snapshot: undefined,
      receipt: receiptBytes,
      anchor: undefined,
      parked: new Map(),
      filed: new Map(),
    });
    expect(take(store, [command(1), receipt(2, 3)]).map(countsOf)).toEqual(['applied 2']);
    const adopted = store.sessions.get('s' as SessionId);
    expect(adopted?.cursor).toMatchObject({ last: 2, entries: 2, presence: 'known' });
    expect(adopted?.receipt).toBe(receiptBytes);
    expect(adopted?.log).toHaveLength(2);
  });
});

function knowledgeOf(store: PlanStore): Parameters<typeof planBatch>[0] {
  return {
    state: (session) => {
      const stored = store.sessions.get(session);
      return { cursor: stored?.cursor, parked: stored?.parked ?? new Map() };
    },
    isFiled: (session, id) => session !== undefined && store.sessions.get(session)?.filed.has(id) === true,
    parkedCommand: (session, sequence: Sequence) => store.sessions.get(session)?.parked.get(sequence),
  };
}
