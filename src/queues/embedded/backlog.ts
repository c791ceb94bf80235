import { PersistenceError } from '../../domain/errors.ts';
import { Bell } from '../bell.ts';

/** How much a queue may hold before it pushes back, in bytes. */
export interface BacklogLimits {
  /** Durable bytes that no consumer has acknowledged yet, plus those on their way. */
  readonly unconsumedBytes: number;
  /** Bytes that wait in memory to be written and synced. */
  readonly pendingBytes: number;
}

/**
 * Counts what was published and not consumed, and pushes back when it becomes too much. A publish larger than a
 * limit is let in when nothing else stands there, so that no size is refused for ever.
 */
export class Backlog {
  readonly #limits: BacklogLimits;
  readonly #bell = new Bell();
  #end: number;
  #consumed: number;
  #pending = 0;
  /** Largest publish refused since there was room last: room for less would only be refused again. */
  #wanted = 1;

  /** `consumed` and `end`: distances in the journal of the first unconsumed byte and of its end. */
  constructor(limits: BacklogLimits, consumed: number, end: number) {
    this.#limits = limits;
    this.#consumed = consumed;
    this.#end = end;
  }

  get unconsumedBytes(): number {
    return this.#end - this.#consumed;
  }

  /** Counts `bytes` as pending, or returns why there is no room for them. */
  admit(bytes: number): PersistenceError | undefined {
    if (this.#hasRoom(bytes)) {
      this.#pending += bytes;
      return undefined;
    }
    this.#wanted = Math.max(this.#wanted, bytes);
    return new PersistenceError(
      'QUEUE_FULL',
      `the queue holds ${this.unconsumedBytes} unconsumed bytes and ${this.#pending} waiting to be written; ` +
        `${bytes} more pass its limits of ${this.#limits.unconsumedBytes} and ${this.#limits.pendingBytes}`,
    );
  }

  /** `bytes` are pending no more: written, refused or given up. */
  settle(bytes: number): void {
    this.#pending -= bytes;
    this.#look();
  }

  /** The journal is durable up to `end`. */
  grown(end: number): void {
    this.#end = end;
  }

  /** Everything before `consumed` is consumed. */
  consumedTo(consumed: number): void {
    this.#consumed = consumed;
    this.#look();
  }

  /** Resolves once what was refused last would be let in. Throws what `problem` finds meanwhile, or `ABORTED`. */
  async whenWritable(problem: () => PersistenceError | undefined, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const found = problem();
      if (found !== undefined) throw found;
      if (signal?.aborted) throw new PersistenceError('ABORTED', 'the wait for room in the queue was given up');
      if (this.#hasRoom(this.#wanted)) {
        this.#wanted = 1;
        return;
      }
      await this.#bell.wait(signal);
    }
  }

  /** Makes everyone who waits look again. */
  wake(): void {
    this.#bell.ring();
  }

  #look(): void {
    if (this.#hasRoom(this.#wanted)) this.#bell.ring();
  }

  #hasRoom(bytes: number): boolean {
    const unconsumed = this.unconsumedBytes + this.#pending;
    return (
      (unconsumed === 0 || unconsumed + bytes <= this.#limits.unconsumedBytes) &&
      (this.#pending === 0 || this.#pending + bytes <= this.#limits.pendingBytes)
    );
  }
}
