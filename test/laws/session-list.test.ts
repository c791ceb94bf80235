import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import type { Command } from '../../src/domain/command.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { SessionPage, SessionQuery, SessionRow } from '../../src/ports/service.ts';
import type { Store } from '../../src/ports/store.ts';
import { append, create, numbered, snapshotText } from '../support/commands.ts';
import { levelHarness } from '../support/level-harness.ts';
import { memoryHarness } from '../support/memory-harness.ts';
import { type Persisting, startPersisting } from '../support/persisting.ts';

interface Sample {
  readonly id: string;
  readonly state: 'Open' | 'Resolved' | undefined;
  readonly mode: string;
  readonly obstacle: 'halted' | 'refused' | 'gap' | undefined;
  readonly presence: 'unknown' | 'known' | 'deleted';
}

const modes = ['macp.mode.task.v1', 'macp.mode.decision.v1'] as const;
const id = fc.string({ unit: fc.constantFrom('a', 'b', '-', 'é', '\u{1f600}', '\uffff'), minLength: 1, maxLength: 4 });
const sample: fc.Arbitrary<Sample> = fc.record({
  id,
  state: fc.constantFrom('Open', 'Resolved', undefined),
  mode: fc.constantFrom(...modes),
  obstacle: fc.constantFrom('halted', 'refused', 'gap', undefined),
  presence: fc.constantFrom('known', 'known', 'known', 'deleted', 'unknown'),
});
const samples = fc.uniqueArray(sample, { selector: (each) => each.id, maxLength: 90 });

/** What brings a session into the sample's state: two commands, and what holds it up. */
function commandsOf({ id: session, state, mode, obstacle, presence }: Sample): readonly Command[] {
  const reign = { session };
  if (presence === 'unknown') return obstacle === 'gap' ? [append(2, 'early', reign)] : [];
  const snapshot = snapshotText('m', session)
    .replace('"state":"Open"', `"state":"${state}"`)
    .replace('ext.multi_round.v1', mode);
  const second = state === undefined ? append(2, 'm', reign) : numbered('macp.session.save.v1', 2, snapshot, reign);
  const last = presence === 'deleted' ? numbered('macp.session.delete.v1', 3, '', reign) : append(3, 'm', reign);
  const holding = {
    halted: append(1, 'another first', reign),
    refused: numbered('macp.log.append.v1', 4, '{}', reign),
    gap: append(6, 'early', reign),
  };
  return [create(1, reign), second, last, ...(obstacle === undefined ? [] : [holding[obstacle]])];
}

/** The row that a list shows, if the query asks for it. */
function expectedRow(given: Sample, query: Partial<SessionQuery>): SessionRow | undefined {
  const { presence, obstacle } = given;
  if (presence === 'unknown' && obstacle !== 'gap') return undefined;
  const known = presence === 'known';
  if (!known && (query.blocked !== true || query.state !== undefined || query.mode !== undefined)) return undefined;
  if (query.blocked === true && obstacle === undefined) return undefined;
  const hasSnapshot = known && given.state !== undefined;
  const row: SessionRow = {
    session_id: given.id,
    state: hasSnapshot ? (given.state ?? null) : null,
    mode: hasSnapshot ? given.mode : null,
    last_sequence: presence === 'unknown' ? 0 : 3,
    log_entries: known ? (hasSnapshot ? 1 : 2) : 0,
    blocked:
      obstacle === undefined
        ? null
        : {
            kind: obstacle,
            sequence: presence === 'unknown' ? 1 : 4,
            parked_commands: obstacle === 'gap' ? 1 : 0,
          },
  };
  if (query.state !== undefined && row.state !== query.state) return undefined;
  return query.mode !== undefined && row.mode !== query.mode ? undefined : row;
}

function byUtf8(one: Sample, other: Sample): number {
  return Buffer.compare(Buffer.from(one.id), Buffer.from(other.id));
}

/** A clock by which every look at it takes `step` milliseconds, so that pages end early. */
function clockOf(step: number) {
  let elapsed = 0;
  return {
    ...systemClock,
    elapsed: () => {
      elapsed += step;
      return elapsed;
    },
  };
}

async function allPages(
  { reads }: Persisting,
  query: SessionQuery,
  between: (page: SessionPage) => Promise<void> = () => Promise.resolve(),
): Promise<readonly SessionRow[]> {
  const rows: SessionRow[] = [];
  let { after } = query;
  for (;;) {
    const page = await reads.listSessions({ ...query, after });
    expect(page.sessions.length).toBeLessThanOrEqual(query.limit);
    rows.push(...page.sessions);
    if (page.next === null) return rows;
    // Else a reader would never come to the end.
    if (after !== undefined) expect(Buffer.compare(Buffer.from(page.next), Buffer.from(after))).toBe(1);
    after = page.next as SessionId;
    await between(page);
  }
}

async function onStore(harness: StoreHarness, check: (store: Store) => Promise<void>): Promise<void> {
  const subject = await harness.create();
  try {
    await check(subject.store);
  } finally {
    await subject.dispose();
  }
}

describe.each([
  { name: 'memory', harness: memoryHarness, numRuns: 60 },
  { name: 'level', harness: levelHarness, numRuns: 15 },
])('the sessions of a $name store, listed in pages', ({ harness, numRuns }) => {
  test('are those that a look at each of them finds, with every filter', async () => {
    const query = fc.record({
      limit: fc.integer({ min: 1, max: 40 }),
      state: fc.constantFrom('Open', 'Resolved', undefined),
      mode: fc.constantFrom(...modes, undefined),
      blocked: fc.constantFrom(true, false, undefined),
    });
    const slow = fc.constantFrom(0, 0, 30);
    await fc.assert(
      fc.asyncProperty(samples, fc.array(query, { minLength: 4, maxLength: 8 }), slow, (given, queries, step) =>
        onStore(harness, async (store) => {
          await using persisting = startPersisting(store, clockOf(step));
          persisting.add(...given.flatMap(commandsOf));
          await persisting.persisted();
          for (const each of queries) {
            const expected = [...given].sort(byUtf8).map((one) => expectedRow(one, each));
            expect(await allPages(persisting, each)).toEqual(expected.filter((row) => row !== undefined));
          }
        }),
      ),
      { numRuns },
    );
  });

  test('are each met exactly once, while others are added', async () => {
    await fc.assert(
      fc.asyncProperty(samples, samples, fc.integer({ min: 1, max: 9 }), (given, added, limit) =>
        onStore(harness, async (store) => {
          await using persisting = startPersisting(store);
          persisting.add(...given.map(({ id: session }) => create(1, { session })));
          await persisting.persisted();
          const names = new Set(given.map(({ id: session }) => session));
          const others = added.filter(({ id: session }) => !names.has(session));
          const met = await allPages(persisting, { limit }, async () => {
            const next = others.pop();
            if (next === undefined) return;
            persisting.add(create(1, { session: next.id }));
            await persisting.persisted();
          });
          const old = met.map(({ session_id }) => session_id).filter((session) => names.has(session));
          expect(old).toEqual([...given].sort(byUtf8).map(({ id: session }) => session));
          expect(new Set(met.map(({ session_id }) => session_id)).size).toBe(met.length);
        }),
      ),
      { numRuns },
    );
  });
});

describe('a list of sessions', () => {
  test('ends a page after so many sessions, although nothing was found yet', async () => {
    await onStore(memoryHarness, async (store) => {
      await using persisting = startPersisting(store, clockOf(0));
      const ids = Array.from({ length: 2_500 }, (_, index) => String(index).padStart(5, '0'));
      persisting.add(...ids.map((session) => create(1, { session })));
      persisting.add(append(3, 'early', { session: '02400' }));
      await persisting.persisted();
      const first = await persisting.reads.listSessions({ limit: 10, blocked: true });
      expect(first.sessions).toEqual([]);
      const second = await persisting.reads.listSessions({ limit: 10, blocked: true, after: first.next as SessionId });
      expect(second.sessions.map(({ session_id }) => session_id)).toEqual(['02400']);
      expect(second.next).toBe(null);
    });
  });

  test('holds no more than a few snapshots in memory: each may be of 16 MiB', async () => {
    await onStore(memoryHarness, async (store) => {
      await using persisting = startPersisting(store);
      persisting.add(...Array.from({ length: 100 }, (_, index) => create(1, { session: `${index}` })));
      await persisting.persisted();
      const openSession = store.openSession.bind(store);
      const held = { now: 0, most: 0 };
      store.openSession = async (session) => {
        held.now += 1;
        held.most = Math.max(held.most, held.now);
        const view = await openSession(session);
        const close = view?.close.bind(view);
        if (view === undefined || close === undefined) throw new TypeError('every session of this test exists');
        const closing = async (): Promise<void> => {
          held.now -= 1;
          await close();
        };
        return Object.assign(view, { close: closing, [Symbol.asyncDispose]: closing });
      };
      expect((await persisting.reads.listSessions({ limit: 1_000 })).sessions).toHaveLength(100);
      expect(held.now).toBe(0);
      expect(held.most).toBeLessThanOrEqual(4);
    });
  });

  test('has at least one session a page', async () => {
    await onStore(memoryHarness, async (store) => {
      await using persisting = startPersisting(store);
      for (const limit of [0, -1, 1.5, Number.NaN]) {
        await expect(persisting.reads.listSessions({ limit })).rejects.toBeInstanceOf(TypeError);
      }
    });
  });
});
