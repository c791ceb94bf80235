import type { QueueCapabilities } from '../ports/queue.ts';
import { consumeLaws } from './queue-consume-laws.ts';
import { fenceLaws } from './queue-fence-laws.ts';
import { historyLaws } from './queue-history-laws.ts';
import type { QueueSettings, QueueUnderTest } from './queue-law.ts';
import { publishLaws } from './queue-publish-laws.ts';

/** What an adapter brings to be tested. */
export interface QueueHarness {
  readonly capabilities: QueueCapabilities;
  /** A new, empty queue of at least two partitions. */
  create(settings: QueueSettings): Promise<QueueUnderTest>;
}

/** One thing that every queue must do: `check` rejects with an AssertionError when it does not. */
export interface QueueLaw {
  readonly name: string;
  check(): Promise<void>;
}

/**
 * All laws that hold for a queue of these capabilities. For authors of adapters: run each as a test of its own.
 *
 *     for (const law of queueLaws(harness)) test(law.name, law.check);
 */
export function queueLaws(harness: QueueHarness): readonly QueueLaw[] {
  return [...publishLaws, ...fenceLaws, ...consumeLaws, ...historyLaws]
    .filter(({ needs = [] }) => [needs].flat().every((need) => harness.capabilities[need]))
    .map(({ name, settings, check }) => ({
      name,
      async check() {
        const subject = await harness.create(settings ?? {});
        try {
          await check(subject);
        } finally {
          await subject.dispose();
        }
      },
    }));
}
