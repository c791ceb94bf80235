import { isPersistenceError, type PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { TopicBrokers } from '../consumer/topic-brokers.ts';
import { refuseMoved } from './check-topic.ts';
import { guardIn } from './guard-record.ts';

export interface InquiryOptions {
  /** The topic whose guard is read. */
  readonly topic: string;
  /** Those of the guard's topic; this closes them. */
  readonly brokers: TopicBrokers;
  readonly clock: Clock;
}

/** Looks again at a topic that was usable when it was opened. Several who ask at the same time are answered together. */
export class TopicInquiry {
  readonly #options: InquiryOptions;
  readonly #ended = new AbortController();
  #looking: Promise<PersistenceError | undefined> | undefined;

  constructor(options: InquiryOptions) {
    this.#options = options;
  }

  /** `QUEUE_MOVED` once the commands of the topic go to another one; undefined too where that cannot be told. */
  moved(): Promise<PersistenceError | undefined> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Ends what is being asked. Idempotent. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#options.brokers.close();
    await this.#looking;
  }

  async #look(): Promise<PersistenceError | undefined> {
    const { topic, brokers, clock } = this.#options;
    try {
      refuseMoved(topic, await guardIn(brokers, clock, topic, this.#ended.signal));
      return undefined;
    } catch (error) {
      return isPersistenceError(error, 'QUEUE_MOVED') ? error : undefined;
    }
  }
}
