import type { Command } from '../../domain/command.ts';
import type { Position } from '../../domain/delivery.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OpenFile } from '../../ports/file-system.ts';
import { isDiskFull } from '../../segments/disk-full.ts';
import { type JournalState, type SegmentPlace, SegmentWriter } from '../../segments/segment-writer.ts';
import type { Segments } from '../../segments/segments.ts';
import { Bell } from '../bell.ts';
import type { Withdrawal } from '../check-publish.ts';
import { partitionMemory } from '../partition-memory.ts';
import type { Backlog } from './backlog.ts';
import { Group } from './group.ts';
import { maximumBodyBytes, recordOverhead, recordRoom } from './record.ts';

export interface JournalSettings {
  readonly segmentBytes: number;
  readonly groupBytes: number;
}

/** What taking in a publish costs, roughly, and from how many on a group is worth halving. */
const takingInMs = 0.004;
const leastHalved = 64;
const reusableBufferBytes = 8 * 1024 * 1024;

/**
 * The append-only journal of all partitions. While one group of publishes is being written and synced, all that
 * arrives gathers into the next: one write and one sync a group.
 *
 * A full disk refuses the group it hits, for certain, and the journal carries on when there is room. Any other
 * failed write, and every failed sync, leaves it unknown what the disk holds: the journal then refuses everything
 * (`QUEUE_IO_FAILED`) until it is opened anew and recovered from disk. A failed sync is never retried (Rebello et
 * al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
export class Journal {
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #settings: JournalSettings;
  readonly #segments: Segments;
  readonly #salt: number;
  readonly #writer: SegmentWriter;
  readonly #backlog: Backlog;
  readonly #partitionOf: (session: SessionId) => number;
  readonly #grown = new Bell();
  readonly #broken = new Bell();
  readonly #spare: Buffer[] = [];
  /** Durable end of each partition. */
  #ends: readonly number[];
  /** Like `#ends`, with everything that waits. */
  #next: number[];
  #waiting: Group[] = [];
  /** How long a group takes to be written and synced, averaged. */
  #syncMs = 0;
  #offsetsMoved = false;
  #running: Promise<void> | undefined;
  #committing: Promise<boolean> | undefined;
  #failure: PersistenceError | undefined;

  constructor(place: SegmentPlace, settings: JournalSettings, state: JournalState, file: OpenFile, backlog: Backlog) {
    this.#clock = place.clock;
    this.#directory = place.directory;
    this.#settings = settings;
    this.#segments = state.segments;
    this.#salt = state.salt;
    this.#ends = state.next;
    this.#next = [...state.next];
    this.#writer = new SegmentWriter(place, settings.segmentBytes, state, file, (what, cause) =>
      this.fail(what, cause),
    );
    this.#backlog = backlog;
    this.#partitionOf = partitionMemory(state.next.length);
  }

  get ends(): readonly number[] {
    return this.#ends;
  }

  get failure(): PersistenceError | undefined {
    return this.#failure;
  }

  /** Resolves when the journal has failed for good. */
  async whenFailed(): Promise<PersistenceError> {
    while (this.#failure === undefined) await this.#broken.wait();
    return this.#failure;
  }

  /**
   * Adds commands, which must be valid, `plain` or not one by one, and resolves with their positions once they are
   * durable. Whether they were withdrawn is asked when their group is about to be written.
   */
  append(
    commands: readonly Command[],
    plain: readonly boolean[],
    withdrawn: Withdrawal | undefined,
  ): Promise<readonly Position[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    let room = 0;
    for (const command of commands) {
      const size = recordRoom(command);
      if (size > maximumBodyBytes + recordOverhead) return Promise.reject(tooLarge(size));
      room += size;
    }
    const refusal = this.#backlog.admit(room);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const waiting = { commands, plain, withdrawn, room, resolve, reject, positions: [] };
      try {
        this.#gathering(room).add(waiting, this.#next);
      } catch (error) {
        // What was half encoded is dropped when the group is encoded again.
        this.#offsetsMoved = true;
        this.#backlog.settle(room);
        throw error;
      }
      this.#running ??= this.#run();
    });
  }

  /** Resolves when more is durable than now, or `signal` is aborted. */
  whenGrown(signal?: AbortSignal): Promise<void> {
    return this.#grown.wait(signal);
  }

  /** Makes everyone who waits for more look again. */
  wake(): void {
    this.#grown.ring();
  }

  /** Resolves once the group that is being written is durable or refused. Throws when it is not known which. */
  async committed(): Promise<void> {
    await this.#committing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves once nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Settles what waits and closes the file. */
  async close(): Promise<void> {
    await this.settled();
    await this.#writer.close();
  }

  /** From now on everything is refused: what the disk holds is not known. */
  fail(what: string, cause: unknown): PersistenceError {
    if (this.#failure === undefined) {
      const message = `${what} failed in ${this.#directory}; whether the publishes under way are in the queue shows when it is opened anew`;
      this.#failure = new PersistenceError('QUEUE_IO_FAILED', message, { cause });
      this.#broken.ring();
      this.#backlog.wake();
      this.#grown.ring();
    }
    return this.#failure;
  }

  #gathering(room: number): Group {
    const latest = this.#waiting.at(-1);
    if (latest !== undefined && latest.length + room <= this.#settings.groupBytes) return latest;
    const group = new Group(this.#spare.pop(), {
      partitionOf: this.#partitionOf,
      time: this.#clock.now(),
      salt: this.#salt,
    });
    this.#waiting.push(group);
    return group;
  }

  async #run(): Promise<void> {
    // One turn of the event loop lets everyone who publishes now into the same group.
    await turn();
    let unanswered: Group | undefined;
    for (;;) {
      const group = this.#takeGroup();
      this.#committing = group === undefined ? undefined : this.#commit(group);
      unanswered?.answer();
      unanswered = undefined;
      if (group === undefined) {
        await turn();
        if (this.#waiting.length === 0) break;
      } else if (await this.#committing) {
        unanswered = await this.#answer(group);
      }
    }
    this.#running = undefined;
  }

  /**
   * Lets those who are answered publish again before the next group is written: all of them, or, where taking in as
   * many publishes takes longer than syncing them, the half, so that one half is taken in while the other is synced.
   */
  async #answer(group: Group): Promise<Group | undefined> {
    const isHalved = group.publishes >= leastHalved && group.publishes * takingInMs > this.#syncMs;
    if (!isHalved) group.answer();
    else if (this.#waiting.length === 0) group.answer(group.publishes / 2);
    else return group;
    await turn();
    return isHalved ? group : undefined;
  }

  #takeGroup(): Group | undefined {
    if (this.#failure !== undefined) this.#rejectAllWaiting(this.#failure);
    this.#dropWithdrawn();
    if (this.#offsetsMoved) this.#encodeAgain();
    return this.#waiting.shift();
  }

  #rejectAllWaiting(error: PersistenceError): void {
    for (const group of this.#waiting) this.#refuse(group, error);
    this.#waiting = [];
  }

  #dropWithdrawn(): void {
    for (const group of this.#waiting) {
      for (const { room } of group.dropWithdrawn()) {
        this.#offsetsMoved = true;
        this.#backlog.settle(room);
      }
    }
  }

  #encodeAgain(): void {
    this.#offsetsMoved = false;
    this.#next = [...this.#ends];
    this.#waiting = this.#waiting.filter((group) => !group.isEmpty);
    for (const group of this.#waiting) group.encodeAgain(this.#next);
  }

  /** True when the group is durable; otherwise it was refused. */
  async #commit(group: Group): Promise<boolean> {
    const began = this.#clock.elapsed();
    try {
      await this.#writer.write(group.bytes, this.#ends);
    } catch (error) {
      await this.#writeFailed(group, error);
      return false;
    }
    try {
      await this.#writer.sync();
    } catch (error) {
      this.#refuse(group, this.fail('syncing', error));
      return false;
    }
    this.#syncMs += (this.#clock.elapsed() - began - this.#syncMs) / 16;
    const start = this.#segments.last.bytes;
    const ends = [...this.#ends];
    group.enter(start, ends, this.#writer.lastRecordAt);
    this.#ends = ends;
    this.#segments.grow(start + group.length);
    this.#backlog.grown(this.#segments.distance(this.#segments.end));
    this.#backlog.settle(group.room);
    this.#recycle(group);
    this.#grown.ring();
    return true;
  }

  async #writeFailed(group: Group, error: unknown): Promise<void> {
    if (this.#failure === undefined && isDiskFull(error)) {
      try {
        await this.#writer.cutBack();
        this.#offsetsMoved = true;
        const message = `no room for the publish in ${this.#directory}; it is not in the queue`;
        this.#refuse(group, new PersistenceError('DISK_FULL', message, { cause: error }));
        return;
      } catch (cause) {
        this.fail('cutting back a write that the full disk had stopped', cause);
      }
    }
    this.#refuse(group, this.fail('writing', error));
  }

  #refuse(group: Group, error: PersistenceError): void {
    this.#backlog.settle(group.room);
    group.reject(error);
    this.#recycle(group);
  }

  #recycle(group: Group): void {
    if (this.#spare.length < 2 && group.buffer.length <= reusableBufferBytes) this.#spare.push(group.buffer);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function tooLarge(bytes: number): PersistenceError {
  return new PersistenceError(
    'DATA_TOO_LARGE',
    `the command takes up to ${bytes} bytes, more than ${maximumBodyBytes}`,
  );
}
