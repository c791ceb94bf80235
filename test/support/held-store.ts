import type { Plan } from '../../src/domain/plan.ts';
import type { Store } from '../../src/ports/store.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';

/** A memory store whose commits wait, or fail, when the test says so, and which remembers every plan it was handed. */
export interface HeldStore {
  readonly store: Store;
  readonly plans: Plan[];
  /** Commits from now on wait until {@link release}. */
  hold(): void;
  release(): void;
  /** The next commits throw these errors, one each, before anything is written. */
  failNext(...errors: readonly Error[]): void;
  /** Resolves once `count` commits were handed to the store in all. */
  handed(count: number): Promise<void>;
  /** The most commits that were under way at the same time. */
  readonly mostAtOnce: () => number;
}

export function createHeldStore(): HeldStore {
  const memory = createMemoryStore();
  const plans: Plan[] = [];
  const errors: Error[] = [];
  let gate = openGate();
  let waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  let underWay = 0;
  let most = 0;
  gate.resolve();

  async function commit(plan: Plan): Promise<void> {
    plans.push(plan);
    underWay += 1;
    most = Math.max(most, underWay);
    for (const { resolve } of waiters.filter(({ count }) => count <= plans.length)) resolve();
    waiters = waiters.filter(({ count }) => count > plans.length);
    try {
      await gate.promise;
      const error = errors.shift();
      if (error !== undefined) throw error;
      await memory.commit(plan);
    } finally {
      underWay -= 1;
    }
  }

  const store = new Proxy(memory, {
    get(target, property) {
      if (property === 'commit') return commit;
      const value = Reflect.get(target, property, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

  return {
    store,
    plans,
    hold: () => {
      gate = openGate();
    },
    release: () => gate.resolve(),
    failNext: (...more) => {
      errors.push(...more);
    },
    handed: (count) => {
      if (plans.length >= count) return Promise.resolve();
      return new Promise((resolve) => waiters.push({ count, resolve }));
    },
    mostAtOnce: () => most,
  };
}

interface Gate {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function openGate(): Gate {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}
