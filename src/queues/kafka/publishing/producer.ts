import { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { OutgoingBatch } from './batches.ts';
import type { BrokerFailure, BrokerLink } from './broker-link.ts';

/** Rounds of batches, as `batchRecords` puts them together. */
export type Rounds = readonly (readonly OutgoingBatch[])[];

/** Writes records, one call at a time. */
export interface Producer {
  /** Learns who it is to the brokers, so that the first write need not; shuts predecessors out where it can. */
  open(): Promise<void>;
  /**
   * Resolves once every batch is written by all replicas in sync, with its offset noted. What fails is sent again for
   * as long as the patience lasts; then it rejects with what stood in the way, retryable where another write may
   * succeed, and leaves open what was written. Rejects with `WRITER_FENCED` once a successor has shut it out.
   */
  write(rounds: Rounds): Promise<void>;
}

export interface ProducerOptions {
  readonly link: BrokerLink;
  readonly clock: Clock;
  /** Milliseconds for which what fails is tried again. */
  readonly patience: number;
  /** Once aborted, what fails is not tried again. */
  readonly closing: AbortSignal;
}

/** Milliseconds between attempts, doubling from the first to the longest. */
export interface Pauses {
  readonly first: number;
  readonly longest: number;
}

/** Says again what fails with `again`, for as long as the patience lasts. The last failure, or undefined once done. */
export class Persistence {
  readonly #options: ProducerOptions;
  readonly #start: number;

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#start = options.clock.elapsed();
  }

  get isOver(): boolean {
    const { clock, patience, closing } = this.#options;
    return closing.aborted || clock.elapsed() - this.#start >= patience;
  }

  async repeat(
    { first, longest }: Pauses,
    step: () => Promise<BrokerFailure | undefined>,
  ): Promise<BrokerFailure | undefined> {
    for (let pause = first; ; pause = Math.min(longest, pause * 2)) {
      const failure = await step();
      if (failure?.asks !== 'again' || this.isOver) return failure;
      await this.#options.clock.sleep(pause, this.#options.closing).catch(() => undefined);
    }
  }
}

/** What a write rejects with when it is given up because of `failure`. */
export function givenUp({ asks, error }: BrokerFailure): PersistenceError {
  if (asks === 'final' || asks === 'again' || error.retryable) return error;
  return new PersistenceError('QUEUE_UNAVAILABLE', `${error.message}; publishing again may succeed`, { cause: error });
}
