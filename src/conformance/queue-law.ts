import type { Queue, QueueCapabilities } from '../ports/queue.ts';

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
  /** Opens the same queue as another process would; `dispose` closes it. There where several may have it open. */
  another?(): Promise<Queue>;
  /** Closes the queue and removes what it kept. */
  dispose(): Promise<void>;
}

type Need = keyof QueueCapabilities;

/** A law before it knows the queue; with `needs`, it only holds for queues that have these capabilities. */
export interface QueueLawDefinition {
  readonly name: string;
  readonly needs?: Need | readonly Need[];
  readonly settings?: QueueSettings;
  check(subject: QueueUnderTest): Promise<void>;
}
