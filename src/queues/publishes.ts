import type { Position } from '../domain/delivery.ts';
import { PersistenceError } from '../domain/errors.ts';

/** A command as it waits: what the queue makes of it, and where it belongs. */
export interface WaitingRecord<Body> {
  readonly partition: number;
  readonly body: Body;
}

/** How much memory something takes, in bytes. */
export interface Sized {
  readonly length: number;
}

/** One call of publish. */
export interface Publish<Body> {
  readonly records: readonly WaitingRecord<Body>[];
  readonly bytes: number;
  resolve(positions: readonly Position[]): void;
  reject(error: PersistenceError): void;
  /** It does not wait any more: its caller cannot take it back from here on. */
  begin(): void;
}

/** What is kept in memory of a record besides its body, roughly. */
const recordOverhead = 256;

/** Calls of publish in their order, up to a bound of bytes in memory: those that wait, and those being written. */
export class Publishes<Body extends Sized> {
  readonly #maximumBytes: number;
  readonly #waiting = new Set<Publish<Body>>();
  #waitingBytes = 0;
  #bytes = 0;
  #wanted = 0;

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether what was refused last would find room now. */
  get hasRoom(): boolean {
    return this.#fits(this.#wanted);
  }

  /**
   * Takes a publish in; resolves once it is settled. `QUEUE_FULL` where there is no room for it, but for one that is
   * larger than the bound there is room when nothing else is here. `ABORTED` once `signal` is, as long as it waits.
   */
  add(records: readonly WaitingRecord<Body>[], signal: AbortSignal | undefined): Promise<readonly Position[]> {
    if (signal?.aborted) return Promise.reject(takenBack());
    const bytes = records.reduce((sum, { body }) => sum + body.length + recordOverhead, 0);
    if (!this.#fits(bytes)) {
      this.#wanted = Math.max(this.#wanted, bytes);
      const message = `${this.#bytes} bytes of commands wait to be written, and more are not taken`;
      return Promise.reject(new PersistenceError('QUEUE_FULL', message));
    }
    return new Promise((resolve, reject) => {
      const takeBack = (): void => {
        this.#leave(publish);
        this.settled(publish);
        reject(takenBack());
      };
      const begin = (): void => signal?.removeEventListener('abort', takeBack);
      const publish: Publish<Body> = { records, bytes, resolve, reject, begin };
      signal?.addEventListener('abort', takeBack, { once: true });
      this.#waiting.add(publish);
      this.#waitingBytes += bytes;
      this.#bytes += bytes;
    });
  }

  /** The publishes that waited longest, up to `bytes` together, but one at least. They wait no more. */
  take(bytes: number): readonly Publish<Body>[] {
    const taken: Publish<Body>[] = [];
    let sum = 0;
    for (const publish of this.#waiting) {
      sum += publish.bytes;
      if (sum > bytes && taken.length > 0) break;
      this.#leave(publish);
      publish.begin();
      taken.push(publish);
    }
    return taken;
  }

  /** A publish is written or refused: its room is free. */
  settled({ bytes }: Publish<Body>): void {
    this.#bytes -= bytes;
    if (this.#fits(this.#wanted)) this.#wanted = 0;
  }

  #leave(publish: Publish<Body>): void {
    if (this.#waiting.delete(publish)) this.#waitingBytes -= publish.bytes;
  }

  #fits(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maximumBytes;
  }
}

function takenBack(): PersistenceError {
  return new PersistenceError('ABORTED', 'the publish was given up before it was written');
}
