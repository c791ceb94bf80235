import { oldestMayGo, type RetentionLimits, removeOldest } from '../../segments/retention.ts';
import type { SegmentPlace } from '../../segments/segment-writer.ts';
import type { Segments } from '../../segments/segments.ts';
import type { Ledger } from './ledger.ts';

interface Parts extends Pick<SegmentPlace, 'fileSystem' | 'clock' | 'directory' | 'isShared'> {
  readonly ledger: Ledger;
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
      while (this.#oldestMayGo(durable)) await removeOldest(this.#parts, this.#segments);
    });
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#running.then(step);
    this.#running = done.catch(() => undefined);
    return done;
  }

  #oldestMayGo(acknowledged: readonly number[]): boolean {
    const { number } = this.#segments.first.header;
    for (const held of this.#readers.values()) if (held <= number) return false;
    return oldestMayGo(this.#segments, this.#limits, acknowledged, this.#parts.clock.now());
  }
}
