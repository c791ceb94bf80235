import type { StoreCapabilities } from '../ports/store.ts';
import { backupLaws } from './store-backup-laws.ts';
import { commitLaws } from './store-commit-laws.ts';
import type { StoreUnderTest } from './store-law.ts';
import { logLaws } from './store-log-laws.ts';
import { recordLaws } from './store-record-laws.ts';
import { sessionLaws } from './store-session-laws.ts';
import { sharedLaws } from './store-shared-laws.ts';
import { totalsLaws } from './store-totals-laws.ts';

/** What an adapter brings to be tested. */
export interface StoreHarness {
  readonly capabilities: StoreCapabilities;
  /** A new, empty store. */
  create(): Promise<StoreUnderTest>;
}

/** One thing that every store must do: `check` rejects with an AssertionError when it does not. */
export interface StoreLaw {
  readonly name: string;
  check(): Promise<void>;
}

/**
 * All laws that hold for a store of these capabilities. For authors of adapters: run each as a test of its own.
 *
 *     for (const law of storeLaws(harness)) test(law.name, law.check);
 */
export function storeLaws(harness: StoreHarness): readonly StoreLaw[] {
  return [...commitLaws, ...logLaws, ...sessionLaws, ...recordLaws, ...totalsLaws, ...sharedLaws, ...backupLaws]
    .filter(({ needs = [] }) => [needs].flat().every((need) => harness.capabilities[need]))
    .map(({ name, check }) => ({
      name,
      async check() {
        const subject = await harness.create();
        try {
          await check(subject);
        } finally {
          await subject.dispose();
        }
      },
    }));
}
