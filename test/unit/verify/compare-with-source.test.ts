import { expect, test } from 'vitest';
import type { NumberedCommand } from '../../../src/domain/command.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { compareWithSource } from '../../../src/verify/compare-with-source.ts';
import type { Difference } from '../../../src/verify/difference.ts';
import { append, create } from '../../support/commands.ts';
import { WorkingSystem } from '../../support/working-system.ts';

/** A store that several workers may fill. */
function sharedStore(): Store {
  const memory = createMemoryStore();
  return new Proxy(memory, {
    get(target, name) {
      if (name === 'capabilities') return { ...target.capabilities, shared: true };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const round = (number: number, sessions: number): readonly NumberedCommand[] =>
  Array.from({ length: sessions }, (_, index) =>
    number === 1 ? create(1, { session: `s-${index}` }) : append(number, `m${number}`, { session: `s-${index}` }),
  );

/** Compares while `meanwhile` is done whenever something is about to be compared. */
async function compared(system: WorkingSystem, meanwhile: (look: number) => Promise<void>) {
  const differences: Difference[] = [];
  let looks = 0;
  let due: Promise<void> = Promise.resolve();
  // A store that is read only after what happens meanwhile has happened.
  const store = new Proxy(system.store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'listCursors') return value.bind(target);
      return async (...words: unknown[]) => {
        await due;
        return value.apply(target, words);
      };
    },
  });
  const result = await compareWithSource({
    store,
    source: system.queue,
    target: createMemoryStore('replayed'),
    clock: systemClock,
    limits: { deliveries: 5, bytes: 1 << 20 },
    cachedSessions: 10,
    backoff: { initial: 1, maximum: 10 },
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onProgress: () => undefined,
    onRetrying: () => undefined,
    onComparing: () => {
      looks += 1;
      due = meanwhile(looks);
    },
    onDifference: async (difference) => void differences.push(difference),
  });
  return { ...result, told: differences, looks };
}

async function systemOf(sessions: number): Promise<WorkingSystem> {
  const system = new WorkingSystem({ store: sharedStore() }).work();
  await system.queue.publish([...round(1, sessions), ...round(2, sessions)]);
  await system.caughtUp();
  return system;
}

test('a store that nobody writes to is compared once', async () => {
  await using system = await systemOf(6);
  const found = await compared(system, () => Promise.resolve());
  expect(found).toMatchObject({ told: [], looks: 1, sessions: 6, isMoving: false, unconsumed: 0 });
  expect(found.digests.first).toBe(found.digests.second);
});

test('a store that workers go on with is compared as it stands, until nothing differs', async () => {
  await using system = await systemOf(6);
  const found = await compared(system, async (look) => {
    if (look > 2) return;
    await system.queue.publish(round(look + 2, 4));
    await system.caughtUp();
  });
  expect(found).toMatchObject({ told: [], differences: 0, movingSessions: 0, looks: 3, isMoving: true });
});

test('of sessions that are written to whenever they are looked at nothing is said but that', async () => {
  await using system = await systemOf(6);
  const found = await compared(system, async (look) => {
    await system.queue.publish(round(look + 2, 2));
    await system.caughtUp();
  });
  expect(found).toMatchObject({ told: [], differences: 0, differentSessions: 0, movingSessions: 2, looks: 5 });
});
