import type { Clock } from '../../ports/clock.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Ledger } from './ledger.ts';
import type { Segments } from './segments.ts';

/** Consumed segments are removed once either is passed. */
export interface RetentionLimits {
  /** Age in ms of the youngest record of a segment. */
  readonly ageMs: number;
  /** Bytes of all segments together. */
  readonly bytes: number;
}

interface Parts {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly directory: string;
}

/**
 * Removes whole segments, oldest first, that are consumed and too old or too many. What was not acknowledged, and
 * noted so durably, always stays.
 */
export class Retention {
  readonly #parts: Parts;
  readonly #segments: Segments;
  readonly #limits: RetentionLimits;
  readonly #readers = new Map<object, number>();
  #acknowledged: readonly number[];
  #running: Promise<void> = Promise.resolve();

  constructor(parts: Parts, segments: Segments, limits: RetentionLimits, acknowledged: readonly number[]) {
    this.#parts = parts;
    this.#segments = segments;
    this.#limits = limits;
    this.#acknowledged = acknowledged;
  }

  /** By partition the first offset that is not acknowledged. */
  get acknowledged(): readonly number[] {
    return this.#acknowledged;
  }

  acknowledge(next: readonly number[]): void {
    this.#acknowledged = next;
  }

  /** Keeps every segment from the given one on until {@link release}. */
  hold(reader: object, segment: number): void {
    this.#readers.set(reader, segment);
  }

  release(reader: object): void {
    this.#readers.delete(reader);
  }

  /** Notes what is acknowledged, without waiting for the disk. */
  note(): Promise<void> {
    return this.#inTurn(() => this.#parts.ledger.saveAcknowledged(this.#acknowledged, false));
  }

  /** Notes what is acknowledged, durably. */
  settle(): Promise<void> {
    return this.#inTurn(() => this.#parts.ledger.saveAcknowledged(this.#acknowledged, true));
  }

  /** Removes what may go now. */
  run(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#oldestMayGo(this.#acknowledged)) return;
      const durable = this.#acknowledged;
      await this.#parts.ledger.saveAcknowledged(durable, true);
      while (this.#oldestMayGo(durable)) {
        const { path } = this.#segments.first;
        this.#segments.removeFirst();
        await this.#parts.fileSystem.remove(path);
        // One by one, so that a power cut cannot leave a hole in the row of segments.
        await this.#parts.fileSystem.syncDirectory(this.#parts.directory);
      }
    });
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#running.then(step);
    this.#running = done.catch(() => undefined);
    return done;
  }

  #oldestMayGo(acknowledged: readonly number[]): boolean {
    const oldest = this.#segments.first;
    const following = this.#segments.after(oldest)?.header;
    if (following === undefined) return false;
    for (const held of this.#readers.values()) if (held <= oldest.header.number) return false;
    const isConsumed = following.next.every((next, partition) => next <= (acknowledged[partition] ?? 0));
    const isOld = following.begunAt <= this.#parts.clock.now() - this.#limits.ageMs;
    return isConsumed && (isOld || this.#segments.totalBytes > this.#limits.bytes);
  }
}
