import { PersistenceError, toPersistenceError } from '../../../domain/errors.ts';
import { type BrokerFailure, isFailure } from './broker-link.ts';
import { givenUp, type Pauses, Persistence, type Producer, type ProducerOptions, type Rounds } from './producer.ts';
import { openBatches, Sequences } from './sequences.ts';
import type { ProducerIdentity } from './transaction-requests.ts';
import { untilRead } from './until-read.ts';

/**
 * The life of a transactional producer:
 *
 *     new ------> ready <-----> unsure        unsure: a transaction, or a request to end it, may be open
 *      |                           |
 *      +--------> shut out <-------+          shut out: a successor was given the transactional id
 */
type ProducerState = 'new' | 'ready' | 'unsure' | 'shut out';

/** What is known of the commit of one write. */
interface Commit {
  /** The brokers may have got it: whether they did is not known. */
  mayBeDone: boolean;
}

/** An earlier transaction is usually ended within a few milliseconds. */
const pauses: Pauses = { first: 1, longest: 200 };

/**
 * A producer that writes in transactions, one a call. What goes wrong in one is made good by asking for the next epoch
 * of the same identity (KIP-360): that gives up whatever is left open, and is refused once a successor has asked for
 * an identity of its own. Asking as a new producer would shut the successor out instead.
 */
export class TransactionalProducer implements Producer {
  readonly #options: ProducerOptions;
  readonly #sequences: Sequences;
  #identity: ProducerIdentity | undefined;
  #state: ProducerState = 'new';
  /**
   * Where transactions were begun that readers have not been seen to pass. Brokers that are started anew in the middle
   * of ending one may forget to tell a partition of it, which has it open for ever then: see {@link #endWhatIsLeft}.
   */
  readonly #left = new Set<number>();

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#sequences = new Sequences(options.link, true);
  }

  open(): Promise<void> {
    // Asked again, the brokers tell whether a successor has come: nobody else would before the next write.
    if (this.#state === 'ready') this.#enter('unsure');
    return this.#persist((persistence) => persistence.repeat(pauses, () => this.#makeReady()));
  }

  /**
   * Opens a transaction in these partitions, and gives it up: what takes the brokers, and us, long the first time is
   * not left to the first write, whose client may have little time. To be called once it is open. What fails in it, a
   * successor that came meanwhile too, is for the next write to find.
   */
  async rehearse(partitions: readonly number[]): Promise<void> {
    const { link } = this.#options;
    const identity = this.#identity;
    if (identity === undefined || this.#state !== 'ready') return;
    this.#enter('unsure');
    const failure = await this.#giveUpIn(partitions, identity);
    // Nothing is written; but who leads the partitions is known then.
    await link.produce(new Map());
    if (failure === undefined) this.#enter('ready');
  }

  async write(rounds: Rounds): Promise<void> {
    const commit: Commit = { mayBeDone: false };
    try {
      await this.#persist((persistence) => this.#transaction(rounds, persistence, commit));
    } catch (error) {
      throw commit.mayBeDone ? outcomeOpen(error) : error;
    }
  }

  async #persist(work: (persistence: Persistence) => Promise<BrokerFailure | undefined>): Promise<void> {
    const persistence = new Persistence(this.#options);
    for (;;) {
      const failure = await work(persistence);
      if (failure === undefined) return;
      const canGoOn = failure.asks !== 'final' && !persistence.isOver;
      if (canGoOn && this.#state !== 'shut out') continue;
      // What is left open would keep readers waiting until it times out.
      if (this.#state === 'unsure') await this.#makeReady();
      throw this.#state === 'shut out' ? shutOut(failure) : givenUp(failure);
    }
  }

  /** Everything in one transaction, or a failure: then nothing of it is read by anybody, unless the commit was lost. */
  async #transaction(rounds: Rounds, persistence: Persistence, commit: Commit): Promise<BrokerFailure | undefined> {
    const { link } = this.#options;
    const failure = await persistence.repeat(pauses, () => this.#makeReady());
    if (failure !== undefined) return failure;
    if (this.#left.size > 0) await untilRead(this.#options);
    this.#left.clear();
    // Nobody has taken over, and the brokers have said that they know of no commit: it is begun anew.
    commit.mayBeDone = false;
    const identity = this.#identity;
    if (identity === undefined) throw new TypeError('a producer that is ready has an identity');
    const partitions = [...new Set(rounds.flat().map(({ partition }) => partition))];
    if (partitions.length === 0) return undefined;
    this.#enter('unsure');
    for (const partition of partitions) this.#left.add(partition);
    const steps: (() => Promise<BrokerFailure | undefined>)[] = [() => link.addPartitions(identity, partitions)];
    for (const round of rounds) {
      const open = openBatches(round);
      steps.push(() => this.#sequences.send(open, identity));
    }
    steps.push(() => this.#commit(identity, commit));
    for (const step of steps) {
      const failed = await persistence.repeat(pauses, step);
      if (failed !== undefined) return failed;
    }
    // A request that nobody answered may still be on its way: in the next epoch it ends no other transaction.
    this.#enter(commit.mayBeDone ? 'unsure' : 'ready');
    await this.#untilSeen(rounds, persistence, commit);
    return undefined;
  }

  /**
   * The coordinator answers a commit before the partitions are told of it, and once it is started anew it leaves out those
   * that have no leader at that moment (Kafka 4.3.1: "likely deleted already"): what was committed there is read by nobody.
   * So it is durable only when readers get to its end. Throws, with the outcome open, when they do not in time.
   */
  async #untilSeen(rounds: Rounds, persistence: Persistence, commit: Commit): Promise<void> {
    const ends = new Map(rounds.flat().map(({ partition, offset = 0, count }) => [partition, offset + count]));
    try {
      await untilRead(this.#options, ends, persistence);
      this.#left.clear();
    } catch (error) {
      commit.mayBeDone = true;
      this.#enter('unsure');
      throw error;
    }
  }

  async #commit(identity: ProducerIdentity, commit: Commit): Promise<BrokerFailure | undefined> {
    const failure = await this.#options.link.endTransaction(identity, 'commit');
    // Brokers that tell this identity from the present one, or know of no such transaction, have not done it now.
    if (failure?.asks === 'again' || failure?.asks === 'final') commit.mayBeDone = true;
    return failure;
  }

  /** Gives up what may be open, and goes on in the next epoch. */
  async #makeReady(): Promise<BrokerFailure | undefined> {
    if (this.#state === 'ready') return undefined;
    if (this.#state === 'shut out') return { asks: 'final', error: shutOut(undefined) };
    const identity = await this.#options.link.initialise(this.#identity);
    if (isFailure(identity)) {
      if (identity.asks === 'fenced') this.#enter('shut out');
      return identity;
    }
    this.#identity = identity;
    this.#sequences.restart();
    const failure = await this.#endWhatIsLeft(identity);
    if (failure === undefined) this.#enter('ready');
    return failure;
  }

  /**
   * Gives up another transaction in the partitions that may have been forgotten: its end is that of what is open there
   * as well, which no commit must be. Nothing of it was acknowledged.
   */
  async #endWhatIsLeft(identity: ProducerIdentity): Promise<BrokerFailure | undefined> {
    return this.#left.size === 0 ? undefined : await this.#giveUpIn([...this.#left], identity);
  }

  /** Opens a transaction in these partitions, in which nothing is written, and gives it up. */
  async #giveUpIn(partitions: readonly number[], identity: ProducerIdentity): Promise<BrokerFailure | undefined> {
    const { link } = this.#options;
    return (await link.addPartitions(identity, partitions)) ?? (await link.endTransaction(identity, 'abort'));
  }

  #enter(state: ProducerState): void {
    if (this.#state !== 'shut out') this.#state = state;
  }
}

function shutOut(failure: BrokerFailure | undefined): PersistenceError {
  return new PersistenceError(
    'WRITER_FENCED',
    'another publisher with the same transactional id has started: nothing more can be published here',
    { cause: failure?.error },
  );
}

/** However it went on: whether the commit was done is known to nobody. */
function outcomeOpen(cause: unknown): PersistenceError {
  const { message } = toPersistenceError(cause);
  return new PersistenceError('QUEUE_UNAVAILABLE', `whether it was committed is not known: ${message}`, { cause });
}
