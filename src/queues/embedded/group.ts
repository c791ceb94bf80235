import type { Command } from '../../domain/command.ts';
import type { Position } from '../../domain/delivery.ts';
import type { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Withdrawal } from '../check-publish.ts';
import { writeRecord } from './record.ts';

/** One publish that waits to be written. */
export interface Waiting {
  /** Upper bound of the bytes it takes, counted as pending. */
  readonly room: number;
  readonly commands: readonly Command[];
  /** Which of the commands are plain: see `checkCommand`. */
  readonly plain: readonly boolean[];
  readonly withdrawn: Withdrawal | undefined;
  readonly resolve: (positions: readonly Position[]) => void;
  readonly reject: (error: PersistenceError) => void;
  positions: readonly Position[];
}

const firstBufferBytes = 256 * 1024;

export interface GroupEncoding {
  readonly partitionOf: (session: SessionId) => number;
  /** When the records count as appended, in ms since 1970. */
  readonly time: number;
  readonly salt: number;
}

/** Publishes that will be written and synced together, already encoded, with the offsets they will get. */
export class Group {
  readonly #encoding: GroupEncoding;
  #buffer: Buffer;
  #length = 0;
  #waiting: Waiting[] = [];
  #mayBeWithdrawn = false;
  #answered = 0;
  /** By partition: where, from the group's start, its last record stands, and the offset after it. */
  readonly #lastAt: (number | undefined)[] = [];
  readonly #nextOffset: (number | undefined)[] = [];

  constructor(buffer: Buffer | undefined, encoding: GroupEncoding) {
    this.#buffer = buffer ?? Buffer.allocUnsafeSlow(firstBufferBytes);
    this.#encoding = encoding;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Upper bounds of the bytes of its publishes, summed. */
  get room(): number {
    return this.#waiting.reduce((sum, waiting) => sum + waiting.room, 0);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The memory of the group, to be used again. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Adds a publish; `next` holds the offset each partition gets next, and is moved on. */
  add(waiting: Waiting, next: number[]): void {
    const { partitionOf, time, salt } = this.#encoding;
    const positions: Position[] = [];
    this.#reserve(waiting.room);
    for (const [index, command] of waiting.commands.entries()) {
      const partition = partitionOf(command.session);
      const offset = next[partition] ?? 0;
      next[partition] = offset + 1;
      this.#lastAt[partition] = this.#length;
      this.#nextOffset[partition] = offset + 1;
      const isPlain = waiting.plain[index] === true;
      this.#length = writeRecord(this.#buffer, this.#length, command, isPlain, partition, offset, time, salt);
      positions.push({ partition, offset });
    }
    waiting.positions = positions;
    this.#waiting.push(waiting);
    if (waiting.withdrawn !== undefined) this.#mayBeWithdrawn = true;
  }

  /** Takes out the publishes that were withdrawn, and rejects them. When there were any, what is left must be encoded anew. */
  dropWithdrawn(): readonly Waiting[] {
    if (!this.#mayBeWithdrawn) return [];
    const dropped: Waiting[] = [];
    const left: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const why = waiting.withdrawn?.();
      if (why !== undefined) waiting.reject(why);
      (why === undefined ? left : dropped).push(waiting);
    }
    this.#waiting = left;
    return dropped;
  }

  /** Encodes all publishes again, for other offsets. */
  encodeAgain(next: number[]): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#length = 0;
    this.#lastAt.length = 0;
    this.#nextOffset.length = 0;
    for (const one of waiting) this.add(one, next);
  }

  /** Enters the group, which was written from byte `start`, into the ends and last records of the partitions. */
  enter(start: number, ends: number[], lastRecordAt: Map<number, number>): void {
    this.#lastAt.forEach((at, partition) => {
      if (at !== undefined) lastRecordAt.set(partition, start + at);
    });
    this.#nextOffset.forEach((next, partition) => {
      if (next !== undefined) ends[partition] = next;
    });
  }

  /** How many publishes it holds. */
  get publishes(): number {
    return this.#waiting.length;
  }

  /** Answers the first `count` publishes that are not answered yet. */
  answer(count = this.#waiting.length): void {
    const end = Math.min(this.#answered + count, this.#waiting.length);
    for (; this.#answered < end; this.#answered += 1) {
      const waiting = this.#waiting[this.#answered];
      waiting?.resolve(waiting.positions);
    }
  }

  reject(error: PersistenceError): void {
    for (const waiting of this.#waiting) waiting.reject(error);
  }

  #reserve(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
