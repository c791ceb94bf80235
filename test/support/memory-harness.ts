import type { StoreHarness } from '../../src/conformance/store-suite.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';

export const memoryHarness: StoreHarness = {
  capabilities: { durable: false, shared: false, atomicPositions: true, layout: 'own', backup: false },
  async create() {
    const store = createMemoryStore();
    return {
      store,
      reopen: () => Promise.reject(new TypeError('a memory store keeps nothing')),
      dispose: () => store.close(),
    };
  },
};
