import type { Queue, QueueCapabilities } from '../ports/queue.ts';
import { consumeLaws } from './queue-consume-laws.ts';
import { historyLaws } from './queue-history-laws.ts';
import { publishLaws } from './queue-publish-laws.ts';

/** How a queue under test is set up. */
export interface QueueSettings {
  /** Unconsumed bytes at which it is full. Default: more than any law publishes. */
  readonly maximumUnconsumedBytes?: number | undefined;
  /** Remove what is consumed as soon as possible, in steps of a few records. Default: keep everything. */
  readonly retainsNothing?: boolean | undefined;
}

/** One queue of its own for one law. */
export interface QueueUnderTest {
  /** The open queue: after a `reopen`, the one that was opened last. */
  readonly queue: Queue;
  /** Closes the queue and opens it again on what it kept. Only called when the capabilities say `durable`. */
  reopen(): Promise<void>;
  /** Closes the queue and removes what it kept. */
  dispose(): Promise<void>;
}

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

/** A law before it knows the queue; with `needs`, it only holds for queues that have the capability. */
export interface QueueLawDefinition {
  readonly name: string;
  readonly needs?: keyof QueueCapabilities;
  readonly settings?: QueueSettings;
  check(subject: QueueUnderTest): Promise<void>;
}

/**
 * All laws that hold for a queue of these capabilities. For authors of adapters: run each as a test of its own.
 *
 *     for (const law of queueLaws(harness)) test(law.name, law.check);
 */
export function queueLaws(harness: QueueHarness): readonly QueueLaw[] {
  return [...publishLaws, ...consumeLaws, ...historyLaws]
    .filter(({ needs }) => needs === undefined || harness.capabilities[needs])
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
