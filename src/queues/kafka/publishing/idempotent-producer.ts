import { type BrokerFailure, isFailure } from './broker-link.ts';
import { givenUp, type Pauses, Persistence, type Producer, type ProducerOptions, type Rounds } from './producer.ts';
import { type OpenBatches, openBatches, Sequences } from './sequences.ts';
import type { ProducerIdentity } from './transaction-requests.ts';

const pauses: Pauses = { first: 20, longest: 1_000 };

/**
 * A producer without transactions. One that gives a batch up, not knowing whether it was written, goes on as another
 * producer: its next batch would have the number of the lost one, pass for it, and be answered without being written.
 */
export class IdempotentProducer implements Producer {
  readonly #options: ProducerOptions;
  readonly #sequences: Sequences;
  #identity: ProducerIdentity | undefined;

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#sequences = new Sequences(options.link, false);
  }

  open(): Promise<void> {
    return this.write([[]]);
  }

  async write(rounds: Rounds): Promise<void> {
    for (const round of rounds) {
      const persistence = new Persistence(this.#options);
      const open = openBatches(round);
      const failure = await persistence.repeat(pauses, () => this.#attempt(open));
      if (failure === undefined) continue;
      this.#forget();
      throw givenUp(failure);
    }
  }

  async #attempt(open: OpenBatches): Promise<BrokerFailure | undefined> {
    if (this.#identity === undefined) {
      const identity = await this.#options.link.initialise(undefined);
      if (isFailure(identity)) return identity;
      this.#identity = identity;
    }
    if (open.size === 0) return undefined;
    const failure = await this.#sequences.send(open, this.#identity);
    if (failure === undefined || failure.asks === 'again' || failure.asks === 'final') return failure;
    // Whatever was written of these batches is written once more.
    this.#forget();
    return { asks: 'again', error: givenUp(failure) };
  }

  #forget(): void {
    this.#identity = undefined;
    this.#sequences.restart();
  }
}
