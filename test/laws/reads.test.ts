import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import type { NumberedCommand } from '../../src/domain/command.ts';
import type { Sequence, SessionId } from '../../src/domain/identifiers.ts';
import type { FollowedEvent, FollowPoint } from '../../src/ports/service.ts';
import type { SessionView, Store } from '../../src/ports/store.ts';
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

/** The store, with something done before a session is opened, and told of every view. */
function opening(store: Store, before: () => Promise<void>, opened: (view: SessionView) => void): Store {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'openSession') return value.bind(target);
      return async (id: SessionId) => {
        await before();
        const view = await target.openSession(id);
        if (view !== undefined) opened(view);
        return view;
      };
    },
  });
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

/** The logs that a session has had one after another, by generation, each as it was when it was longest. */
function logsOf(history: readonly Step[]): readonly (readonly string[])[] {
  let log: string[] = [];
  const logs = [log];
  history.forEach((step, index) => {
    const sequence = index + 1;
    if (step.do === 'append') log.push(entryText(`m${sequence}`));
    else {
      const entries = step.do === 'replace' ? step.entries : 0;
      log = Array.from({ length: entries }, (_, entry) => entryText(`r${sequence}.${entry}`));
      logs.push(log);
    }
  });
  return logs;
}

/** The log as a follower knows it, and where it stands. */
class Follower {
  readonly #logs: readonly (readonly string[])[];
  log: string[] = [];
  generation: number | undefined;

  constructor(logs: readonly (readonly string[])[]) {
    this.#logs = logs;
  }

  note(event: FollowedEvent): void {
    if (event.kind === 'reset') this.log = [];
    else {
      expect(event.ordinal).toBe(this.log.length);
      this.log.push(String(Buffer.from(event.entry)));
      expect(this.log).toEqual(this.#logs[event.generation]?.slice(0, this.log.length));
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
      fc.asyncProperty(steps, pauses, fc.nat(6), fc.nat(8), (history, pause, patience, slowness) =>
        onStore(harness, async (store) => {
          // What was seen of the session may have changed by the time its log is read.
          const slow = opening(
            store,
            () => turns(slowness),
            () => undefined,
          );
          await using persisting = startPersisting(slow);
          const { reads } = persisting;
          const whole: readonly Step[] = [{ do: 'append' }, ...history, { do: 'append' }];
          const follower = new Follower(logsOf(whole));
          const [first, ...others] = whole.map(commandOf);
          if (first !== undefined) persisting.add(first);
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
          // Its failure is met below.
          following.catch(() => undefined);
          for (const [index, command] of others.entries()) {
            persisting.add(command);
            await turns(pause[index % pause.length]);
          }
          await persisting.persisted();
          const log = await logOf(reads);
          while (follower.log.at(-1) !== log.at(-1)) await Promise.race([following, turns(1)]);
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

  test('see the log as it is now, however often it was read before and whatever became of it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(2), { minLength: 24, maxLength: 24 }), (history, readings) =>
        onStore(harness, async (store) => {
          await using persisting = startPersisting(store);
          for (const [index, step] of history.entries()) {
            persisting.add(commandOf(step, index));
            await persisting.persisted();
            const now = logsOf(history.slice(0, index + 1)).at(-1);
            for (let reading = 0; reading < (readings[index] ?? 0); reading += 1) {
              if (step.do === 'delete') await expect(logOf(persisting.reads)).rejects.toThrow('does not exist');
              else expect(await logOf(persisting.reads)).toEqual(now);
            }
          }
        }),
      ),
      { numRuns },
    );
  });

  test('that follow hold nothing open between two entries', async () => {
    await onStore(harness, async (store) => {
      let open = 0;
      const counting = opening(store, turns, (view) => {
        open += 1;
        const close = view.close.bind(view);
        view.close = async () => {
          open -= 1;
          await close();
        };
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
      while (persisting.watch.waiters === 0) await turns();
      done.abort();
      expect((await next).done).toBe(true);
      expect(persisting.watch.waiters).toBe(0);
    });
  });
});
