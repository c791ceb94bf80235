import { isPersistenceError, type PersistenceError } from '../../../domain/errors.ts';
import { refuseMoved } from './check-topic.ts';
import { readGuard } from './guard-record.ts';
import { type AdministrationOptions, TopicAdministration } from './topic-administration.ts';

/** Looks again at a topic that was usable when it was opened. Several who ask at the same time are answered together. */
export class TopicInquiry {
  readonly #options: AdministrationOptions & { readonly topic: string };
  #looking: Promise<PersistenceError | undefined> | undefined;

  constructor(options: AdministrationOptions & { readonly topic: string }) {
    this.#options = options;
  }

  /** `QUEUE_MOVED` once the commands of the topic go to another one; undefined too where that cannot be told. */
  moved(): Promise<PersistenceError | undefined> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<PersistenceError | undefined> {
    const { clock, topic } = this.#options;
    try {
      await using administration = await TopicAdministration.open(this.#options);
      refuseMoved(topic, (await readGuard(administration, clock, topic))?.guard);
      return undefined;
    } catch (error) {
      return isPersistenceError(error, 'QUEUE_MOVED') ? error : undefined;
    }
  }
}
