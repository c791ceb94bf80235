import { PersistenceError } from '../../../src/domain/errors.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { RecordReader } from '../../../src/queues/kafka/protocol/record-reader.ts';
import type { BrokerFailure, BrokerLink } from '../../../src/queues/kafka/publishing/broker-link.ts';
import type { ProducerIdentity } from '../../../src/queues/kafka/publishing/transaction-requests.ts';

/** What becomes of a request: it is answered; it or its answer is lost; the broker does not do it. */
export type Fate = 'answered' | 'request lost' | 'answer lost' | 'refused';

/** A clock on which nobody waits: whoever sleeps moves it on. */
export class HastyClock implements Clock {
  #now = 0;

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw new PersistenceError('ABORTED', 'slept no longer');
    this.#now += milliseconds;
  }
}

/** A value in the log, as the text that it was; `open` while its transaction is. */
interface Logged {
  readonly value: string;
  transaction: 'none' | 'open' | 'committed' | 'aborted';
}

interface Written {
  readonly epoch: number;
  readonly sequence: number;
  readonly count: number;
  readonly offset: number;
}

interface Transaction {
  identity: ProducerIdentity;
  /** The epoch that this one goes on from; undefined for that of a new producer. */
  before: number | undefined;
  isOpen: boolean;
  outcome: 'commit' | 'abort' | undefined;
}

/** Of a producer's batches in a partition, the brokers know so many again. */
const rememberedBatches = 5;

/**
 * Brokers as far as producers deal with them, with Kafka's own rules for what comes twice or out of order, and with
 * requests and answers that get lost as `fate` decides.
 */
export class SimulatedBrokers {
  readonly logs = new Map<number, Logged[]>();
  fate: () => Fate = () => 'answered';
  /** Partitions that are not told when the next transaction ends: it stays open there until another one ends. */
  readonly forgotten = new Set<number>();
  readonly #written = new Map<string, Written[]>();
  readonly #transactions = new Map<string, Transaction>();
  #nextProducer = 1n;

  /** The values of a partition that a reader of committed ones sees. */
  committed(partition: number): readonly string[] {
    const log = this.logs.get(partition) ?? [];
    return log.filter(({ transaction }) => transaction === 'none' || transaction === 'committed').map((at) => at.value);
  }

  link(transactionalId?: string): BrokerLink {
    return {
      initialise: (after) => this.#told(() => this.#initialise(transactionalId, after)),
      addPartitions: (identity) => this.#told(() => this.#change(transactionalId, identity, undefined)),
      endTransaction: (identity, outcome) => this.#told(() => this.#change(transactionalId, identity, outcome)),
      produce: async (batches) => {
        const answers = new Map<number, number | BrokerFailure>();
        for (const [partition, batch] of batches) {
          answers.set(partition, await this.#told(() => this.#append(partition, batch)));
        }
        return answers;
      },
      ends: async (place) =>
        new Map(
          [...this.logs].map(([partition, log]) => [partition, place === 'latest' ? firstOpen(log) : log.length]),
        ),
    };
  }

  async #told<Answer>(act: () => Answer): Promise<Answer | BrokerFailure> {
    const fate = this.fate();
    if (fate === 'request lost' || fate === 'refused') return lost();
    const answer = act();
    return fate === 'answer lost' ? lost() : answer;
  }

  #initialise(transactionalId: string | undefined, after: ProducerIdentity | undefined) {
    if (transactionalId === undefined) return { producerId: this.#nextProducer++, epoch: 0 };
    const known = this.#transactions.get(transactionalId);
    if (known === undefined) {
      const identity = { producerId: this.#nextProducer++, epoch: 0 };
      this.#transactions.set(transactionalId, { identity, before: undefined, isOpen: false, outcome: undefined });
      return identity;
    }
    // KIP-360: who asks again, because the answer was lost, gets it again, unless a successor has asked meanwhile.
    if (after !== undefined && after.epoch === known.before) return known.identity;
    if (after !== undefined && after.epoch !== known.identity.epoch) return shutOut();
    if (known.isOpen) this.#end(known.identity, 'aborted');
    known.identity = { producerId: known.identity.producerId, epoch: known.identity.epoch + 1 };
    known.before = after?.epoch;
    known.isOpen = false;
    known.outcome = undefined;
    return known.identity;
  }

  #change(transactionalId: string | undefined, identity: ProducerIdentity, outcome: 'commit' | 'abort' | undefined) {
    const known = this.#transactions.get(transactionalId ?? '');
    if (known === undefined || known.identity.epoch !== identity.epoch) return shutOut();
    if (outcome === undefined) {
      known.isOpen = true;
      known.outcome = undefined;
      return undefined;
    }
    if (known.isOpen) this.#end(identity, outcome === 'commit' ? 'committed' : 'aborted');
    else if (known.outcome !== outcome) return confused();
    known.isOpen = false;
    known.outcome = outcome;
    return undefined;
  }

  #end({ producerId }: ProducerIdentity, as: 'committed' | 'aborted'): void {
    const told = [...this.logs].filter(([partition]) => !this.forgotten.delete(partition));
    for (const [partition, log] of told) {
      for (const { offset, count } of this.#written.get(`${producerId}/${partition}`) ?? []) {
        for (const logged of log.slice(offset, offset + count)) {
          if (logged.transaction === 'open') logged.transaction = as;
        }
      }
      // The marker takes an offset as well.
      log.push({ value: 'marker', transaction: 'aborted' });
    }
  }

  #append(partition: number, batch: Buffer): number | BrokerFailure {
    const isTransactional = (batch.readInt16BE(21) & 0x10) !== 0;
    const producerId = batch.readBigInt64BE(43);
    const epoch = batch.readInt16BE(51);
    const sequence = batch.readInt32BE(53);
    const count = batch.readInt32BE(57);
    const known = this.#written.get(`${producerId}/${partition}`) ?? [];
    this.#written.set(`${producerId}/${partition}`, known);
    if (isTransactional && this.#isShutOut(producerId, epoch)) return shutOut();
    const again = known
      .slice(-rememberedBatches)
      .find((one) => one.epoch === epoch && one.sequence === sequence && one.count === count);
    if (again !== undefined) return again.offset;
    const last = known.at(-1);
    const expected = last === undefined || last.epoch !== epoch ? 0 : last.sequence + last.count;
    if (sequence !== expected) return confused();
    const log = this.logs.get(partition) ?? [];
    this.logs.set(partition, log);
    const offset = log.length;
    known.push({ epoch, sequence, count, offset });
    for (const value of valuesOf(batch)) log.push({ value, transaction: isTransactional ? 'open' : 'none' });
    return offset;
  }

  #isShutOut(producerId: bigint, epoch: number): boolean {
    const known = [...this.#transactions.values()].find(({ identity }) => identity.producerId === producerId);
    return known?.identity.epoch !== epoch;
  }
}

function firstOpen(log: readonly Logged[]): number {
  const open = log.findIndex(({ transaction }) => transaction === 'open');
  return open === -1 ? log.length : open;
}

function valuesOf(batch: Buffer): readonly string[] {
  const reader = new RecordReader(batch, [], 0);
  const values: string[] = [];
  for (let read = reader.next(); read !== undefined; read = reader.next()) {
    if (read.kind !== 'record') throw new Error(`a batch that cannot be read: ${read.kind}`);
    values.push(Buffer.from(read.value).toString('utf8'));
  }
  return values;
}

function lost(): BrokerFailure {
  return { asks: 'again', error: new PersistenceError('QUEUE_UNAVAILABLE', 'lost') };
}

function shutOut(): BrokerFailure {
  return { asks: 'fenced', error: new PersistenceError('WRITER_FENCED', 'another has the identity') };
}

function confused(): BrokerFailure {
  return { asks: 'new identity', error: new PersistenceError('QUEUE_UNAVAILABLE', 'out of order') };
}
