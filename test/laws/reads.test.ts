import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import type { NumberedCommand } from '../../src/domain/command.ts';
import type { Sequence, SessionId } from '../../src/domain/identifiers.ts';
import type { FollowedEvent, FollowPoint } from '../../src/ports/service.ts';
import type { Store } from '../../src/ports/store.ts';
import type { ReadingPart } from '../../src/service/session-reads.ts';
import { append, entryText, numbered, replace } from '../support/commands.ts';
import { levelHarness } from '../support/level-harness.ts';
import { memoryHarness } from '../support/memory-harness.ts';
import { startPersisting } from '../support/persisting.ts';
import { turns } from '../support/turns.ts';

const session = 'a-session-of-the-tests-1' as SessionId;
const timeout = 60_000;

async function onStore(harness: StoreHarness, check: (store: Store) => Promise<void>): Promise<void> {
  const subject = await harness.create();
  try {
    await check(subject.store);
  } finally {
    await subject.dispose();
  }
}

async function logOf(reads: ReadingPart, sequence?: number): Promise<readonly string[]> {
  const waiting = sequence === undefined ? undefined : { sequence: sequence as Sequence, timeout };
  const texts: string[] = [];
  for await (const page of reads.log(session, {}, waiting))
    texts.push(...page.map((entry) => String(Buffer.from(entry))));
  return texts;
}

/** What a log goes through: entries added, replaced by others, or deleted. */
type Step =
  | { readonly do: 'append' }
  | { readonly do: 'delete' }
  | { readonly do: 'replace'; readonly entries: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ do: 'append' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'delete' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), entries: fc.nat(3) }) },
  ),
  { minLength: 1, maxLength: 24 },
);

function commandOf(step: Step, index: number): NumberedCommand {
  const sequence = index + 1;
  if (step.do === 'append') return append(sequence, `m${sequence}`);
  if (step.do === 'delete') return numbered('macp.session.delete.v1', sequence, '');
  return replace(
    sequence,
    Array.from({ length: step.entries }, (_, entry) => `r${sequence}.${entry}`),
  );
}

/** The log as a follower knows it, and where it stands. */
class Follower {
  log: string[] = [];
  generation: number | undefined;

  note(event: FollowedEvent): void {
    if (event.kind === 'reset') this.log = [];
    else {
      expect(event.ordinal).toBe(this.log.length);
      if (this.generation !== undefined) expect(event.generation).toBe(this.generation);
      this.log.push(String(Buffer.from(event.entry)));
    }
    this.generation = event.generation;
  }

  get point(): FollowPoint {
    return { generation: this.generation, ordinal: this.log.length };
  }
}

describe.each([
  { name: 'memory', harness: memoryHarness, numRuns: 50 },
  { name: 'level', harness: levelHarness, numRuns: 10 },
])('reads of a $name store', ({ harness, numRuns }) => {
  test('see at least the number that they waited for', async () => {
    const batches = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.array(fc.tuple(fc.nat(10), fc.double({ min: 0, max: 1, noNaN: true }))),
        (sizes, reads) =>
          onStore(harness, async (store) => {
            await using persisting = startPersisting(store);
            const total = sizes.reduce((sum, size) => sum + size, 0);
            const found = reads.map(async ([delay, share]) => {
              await turns(delay);
              const sequence = Math.max(1, Math.round(share * total));
              const log = await logOf(persisting.reads, sequence);
              expect(log.length).toBeGreaterThanOrEqual(sequence);
              expect(log).toEqual(log.map((_, index) => entryText(`m${index + 1}`)));
            });
            let sequence = 0;
            for (const size of sizes) {
              persisting.add(
                ...Array.from({ length: size }, (_, index) => append(sequence + index + 1, `m${sequence + index + 1}`)),
              );
              sequence += size;
              await turns(2);
            }
            await Promise.all(found);
            expect(persisting.watch.waiters).toBe(0);
          }),
      ),
      { numRuns },
    );
  });

  test('that follow a log know it as it stands, whatever happens to it and wherever they begin again', async () => {
    const pauses = fc.array(fc.nat(4), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(steps, pauses, fc.nat(6), (history, pause, patience) =>
        onStore(harness, async (store) => {
          await using persisting = startPersisting(store);
          const { reads } = persisting;
          const follower = new Follower();
          persisting.add(append(1, 'm1'));
          await persisting.persisted();
          const done = new AbortController();
          // A reader that comes back again and again, each time for some events, from where it stood.
          const following = (async () => {
            while (!done.signal.aborted) {
              let left = 1 + patience;
              for await (const event of reads.follow(session, follower.point, done.signal)) {
                follower.note(event);
                left -= 1;
                if (left === 0) break;
              }
            }
          })();
          for (const [index, step] of history.entries()) {
            persisting.add(commandOf(step, index + 1));
            await turns(pause[index % pause.length]);
          }
          const last = numbered('macp.log.append.v1', history.length + 2, entryText('last'));
          persisting.add(last);
          await persisting.persisted();
          const log = await logOf(reads);
          while (follower.log.at(-1) !== log.at(-1)) await turns(1);
          done.abort();
          await following;
          expect(follower.log).toEqual(log);
          expect(follower.generation).toBe((await reads.cursor(session)).generation);
          expect(persisting.watch.waiters).toBe(0);
        }),
      ),
      { numRuns },
    );
  });

  test('that follow hold nothing open between two entries', async () => {
    await onStore(harness, async (store) => {
      let open = 0;
      const counting = new Proxy(store, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          if (typeof value !== 'function') return value;
          if (property !== 'openSession') return value.bind(target);
          return async (id: SessionId) => {
            const view = await target.openSession(id);
            if (view === undefined) return undefined;
            open += 1;
            const close = view.close.bind(view);
            view.close = async () => {
              open -= 1;
              await close();
            };
            return view;
          };
        },
      });
      await using persisting = startPersisting(counting);
      persisting.add(...[1, 2, 3].map((sequence) => append(sequence, `m${sequence}`)));
      await persisting.persisted();
      const done = new AbortController();
      let seen = 0;
      for await (const event of persisting.reads.follow(session, { ordinal: 0 }, done.signal)) {
        expect(event).toMatchObject({ kind: 'entry', ordinal: seen });
        expect(open).toBe(0);
        seen += 1;
        if (seen === 3) done.abort();
      }
      expect(seen).toBe(3);
    });
  });

  test('that follow end when they are given up, and refuse a session that was never heard of', async () => {
    await onStore(harness, async (store) => {
      await using persisting = startPersisting(store);
      const done = new AbortController();
      const unknown = persisting.reads.follow(session, { ordinal: 0 }, done.signal)[Symbol.asyncIterator]();
      await expect(unknown.next()).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
      persisting.add(append(1, 'm1'));
      await persisting.persisted();
      const events = persisting.reads.follow(session, { ordinal: 1 }, done.signal)[Symbol.asyncIterator]();
      const next = events.next();
      await turns();
      expect(persisting.watch.waiters).toBe(1);
      done.abort();
      expect((await next).done).toBe(true);
      expect(persisting.watch.waiters).toBe(0);
    });
  });
});
