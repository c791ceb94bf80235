import fc from 'fast-check';
import { expect } from 'vitest';
import type { StoreHarness, StoreUnderTest } from '../../src/conformance/index.ts';
import { countedTotals, readContents } from '../../src/conformance/store-contents.ts';
import {
  PlanBuilder,
  someDeadLetter,
  someDecision,
  someParked,
  somePosition,
} from '../../src/conformance/store-plan-builder.ts';
import { bytes, entries, source } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { ParkedCommand, Plan } from '../../src/domain/plan.ts';
import type { Store } from '../../src/ports/store.ts';
import { memoryHarness } from './memory-harness.ts';

const kinds = [
  'create',
  'append',
  'replace',
  'save',
  'receipt',
  'anchor',
  'remove',
  'park',
  'unpark',
  'stop',
  'file',
  'unreadable',
  'position',
] as const;
const ids = ['a', 'aa', 'é', 'b'] as SessionId[];

const step = fc.record({ kind: fc.constantFrom(...kinds), session: fc.constantFrom(...ids), size: fc.nat({ max: 5 }) });
/**
 * What happens next: a plan is committed, one is committed twice, or the store is closed and opened again, or replaced by
 * a backup of it.
 */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ event: fc.constant('commit'), steps: fc.array(step, { maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ event: fc.constantFrom('repeat', 'reopen', 'put back') }) },
);

/** Commands that earlier plans have parked. */
type Parked = Map<SessionId, ParkedCommand[]>;

/** `parked` is told what is taken out. */
function take(
  builder: PlanBuilder,
  parked: Parked,
  { kind, session, size }: typeof step extends fc.Arbitrary<infer Step> ? Step : never,
  n: number,
) {
  const text = bytes(`${kind} ${n}`);
  switch (kind) {
    case 'create':
      return builder.create(session);
    case 'append':
      return builder.append(session, ...entries(n, n + size));
    case 'replace':
      return builder.replace(session, ...entries(n, n + size));
    case 'save':
      return builder.save(session, text);
    case 'receipt':
      return builder.receipt(session, text);
    case 'anchor':
      return builder.anchor(session, size === 0 ? 'remove' : text);
    case 'remove':
      return builder.remove(session);
    case 'park':
      return builder.park(session, someParked(n + 1, text, size > 2 ? 'INVALID_DATA' : undefined));
    case 'unpark':
      return builder.unpark(session, ...(parked.get(session) ?? []).splice(0, size));
    case 'stop':
      return builder.cursor(session, { halted: size > 2, refused: size % 2 === 0 });
    case 'file':
      return builder.file(session, size > 2 ? someDeadLetter(`${n}`, session) : someDecision(`${n}`, session));
    case 'unreadable':
      return builder.unreadable(someDeadLetter(`${n}`, undefined));
    case 'position':
      return builder.position(source, size, somePosition(n + 1));
  }
}

function notePark(parked: Parked, { changes }: Plan): void {
  for (const change of changes) parked.set(change.session, [...(parked.get(change.session) ?? []), ...change.parked]);
}

async function putBack({ store, backups }: StoreUnderTest): Promise<void> {
  if (backups === undefined) return;
  const directory = backups.newDirectory();
  await store.backup(directory);
  await backups.putBack(directory);
}

/** The code with which the store refused the plan, or undefined. */
async function commit(store: Store, plan: Plan): Promise<string | undefined> {
  return store.commit(plan).then(
    () => undefined,
    (error: { code?: string }) => error.code ?? String(error),
  );
}

/** Any plans, repeated, refused, and with the store opened anew between them, leave it with what memory holds. */
export async function assertLikeMemory(harness: StoreHarness, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const [memory, subject] = [await memoryHarness.create(), await harness.create()];
      try {
        const builder = new PlanBuilder();
        const parked: Parked = new Map();
        let last: Plan = builder.build();
        let n = 0;
        for (const next of events) {
          if (next.event === 'reopen') await subject.reopen();
          if (next.event === 'put back') await putBack(subject);
          if ('steps' in next) {
            for (const each of next.steps) {
              n += 10;
              take(builder, parked, each, n);
            }
            last = builder.build();
            notePark(parked, last);
          }
          expect(await commit(subject.store, last)).toBe(await commit(memory.store, last));
          const contents = await readContents(subject.store, 3);
          expect(contents).toEqual(await readContents(memory.store));
          expect(contents.totals).toEqual(countedTotals(contents));
        }
      } finally {
        await subject.dispose();
        await memory.dispose();
      }
    }),
    { numRuns },
  );
}
