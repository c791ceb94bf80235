import type { Ledger, OpenLedger, QueueIdentity } from '../../../src/queues/embedded/ledger.ts';

/** A ledger in memory. What it was not told to keep durably may be forgotten by {@link restart}. */
export class SimulatedLedger {
  #identity: QueueIdentity | undefined;
  #durable: readonly number[] | undefined;
  #cached: readonly number[] | undefined;

  readonly open: OpenLedger = async (): Promise<Ledger> => ({
    readIdentity: async () => this.#identity,
    saveIdentity: async (identity) => {
      this.#identity = identity;
    },
    readAcknowledged: async () => this.#cached,
    saveAcknowledged: async (next, durable) => {
      this.#cached = next;
      if (durable) this.#durable = next;
    },
    close: async () => undefined,
  });

  restart(): void {
    this.#cached = this.#durable;
  }
}
