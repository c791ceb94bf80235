import type { ClaimCommand } from '../domain/command.ts';
import type { Position } from '../domain/delivery.ts';
import { isPersistenceError, PersistenceError, toPersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { AbortListeners } from './abort-listeners.ts';
import type { UnnumberedCommand } from './input-event.ts';
import type { Lane, Sent, Together, Waiting } from './lane.ts';
import { patiently } from './patiently.ts';
import { isWithoutRoom, publishWhenWritable, type Sink } from './sink.ts';
import { isWhole, refuse, type Taken } from './taken.ts';

/** A bound of commands and of the bytes of their data. */
export interface Load {
  readonly commands: number;
  readonly bytes: number;
}

export interface OutboxOptions {
  readonly sink: Sink;
  readonly clock: Clock;
  /** Most that is on its way into the queue at a time. A single command may be larger. */
  readonly limits: Load;
  /** Everything is given up as soon as it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the queue is full, before waiting for room. */
  readonly onFull?: (() => void) | undefined;
  /**
   * True to reject what finds no room, instead of waiting for some. Nothing of it was written then: what was put
   * together and is published in parts waits for room all the same.
   */
  readonly refusesWithoutRoom?: boolean | undefined;
}

/** What is published together: one sync. */
export const group: Load = { commands: 512, bytes: 4 * 1024 * 1024 };
/** Publishes under way at a time; queues let them share syncs. */
const mostPublishes = 4;

/**
 * Publishes the commands of many lanes in groups. A lane has one group under way at a time, so its commands arrive in
 * order and without a hole: a command gets its number only when it is taken into a group, and a group that failed for
 * good ends its lanes. A queue that is full, or does not answer at present, is waited for: the same bytes under the
 * same numbers are duplicates where they had arrived after all.
 */
export class Outbox implements AsyncDisposable {
  readonly #options: OutboxOptions;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #aborts = new AbortListeners();
  /** What waits for its turn, in order; lanes where nothing waits are not here. */
  readonly #waiting = new Map<Lane, Set<Waiting>>();
  /** Lanes with something that waits and nothing under way, the one that has waited longest first. */
  readonly #ready = new Set<Lane>();
  readonly #publishes = new Set<Promise<void>>();
  /** Lanes that have a group under way. */
  readonly #busy = new Map<Lane, Promise<void>>();
  readonly #underWay = { commands: 0, bytes: 0 };
  readonly #unacknowledged = { commands: 0, bytes: 0 };
  readonly #writable = new Set<() => void>();
  #isTakingSoon = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    const { signal } = options;
    this.#signal = signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
    this.#signal.addEventListener('abort', () => this.#giveUp(), { once: true });
  }

  /**
   * Publishes a claim as it is, or a command under the lane's next number; resolves once it is durable. An abort before
   * its turn takes it back (`ABORTED`); after that the outcome is awaited. Rejects with what ended the lane, if it has
   * ended. `together`: of the commands that are put together with it; default: none.
   */
  put(lane: Lane, draft: UnnumberedCommand | ClaimCommand, signal?: AbortSignal, together?: Together): Promise<Sent> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) return reject(closed());
      if (lane.failure !== undefined) return reject(lane.failure);
      if (signal?.aborted) return reject(takenBack());
      const bytes = 'data' in draft ? draft.data.length : 0;
      const abort = signal === undefined ? undefined : (): void => this.#takeBack(lane, waiting);
      const leave = (): void => {
        if (signal !== undefined && abort !== undefined) this.#aborts.remove(signal, abort);
      };
      const waiting: Waiting = { draft, together, bytes, leave, resolve, reject };
      if (signal !== undefined && abort !== undefined) this.#aborts.add(signal, abort);
      const line = this.#waiting.get(lane);
      if (line === undefined) this.#waiting.set(lane, new Set([waiting]));
      else line.add(waiting);
      this.#unacknowledged.commands += 1;
      this.#unacknowledged.bytes += bytes;
      if (!this.#busy.has(lane)) this.#ready.add(lane);
      this.#takeSoon();
    });
  }

  /** Resolves once less than the limits waits to be durable. */
  async whenWritable(signal?: AbortSignal): Promise<void> {
    while (!this.#isWritable()) {
      if (this.#signal.aborted) throw closed();
      if (signal?.aborted) throw new PersistenceError('ABORTED', 'the wait for room was given up');
      await this.#nextSettled(signal);
    }
  }

  /** Ends a lane: what waits in it is rejected, and so is what is put into it from now on. */
  fail(lane: Lane, failure: PersistenceError): void {
    lane.failure ??= failure;
    this.#ready.delete(lane);
    const line = this.#waiting.get(lane) ?? [];
    this.#waiting.delete(lane);
    for (const waiting of line) {
      waiting.leave();
      this.#settle(waiting.bytes);
      waiting.reject(lane.failure);
    }
  }

  /** Resolves once nothing of the lane is under way. */
  async whenSettled(lane: Lane): Promise<void> {
    await this.#busy.get(lane);
  }

  /** Resolves once nothing is under way: everything that was sent is durable, or has failed for good. */
  async whenIdle(): Promise<void> {
    while (this.#publishes.size > 0) await Promise.all(this.#publishes);
  }

  /** Rejects what waits, and resolves once what is under way is settled. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#publishes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #giveUp(): void {
    for (const lane of this.#waiting.keys()) this.fail(lane, closed());
    for (const wake of this.#writable) wake();
  }

  /** Everything that is put in the same turn is taken together. */
  #takeSoon(): void {
    if (this.#isTakingSoon) return;
    this.#isTakingSoon = true;
    queueMicrotask(() => {
      this.#isTakingSoon = false;
      this.#takeAll();
    });
  }

  #takeAll(): void {
    while (this.#publishes.size < mostPublishes) {
      const taken = this.#take();
      if (taken.length === 0) return;
      const lanes = new Set(taken.map(({ lane }) => lane));
      const publish = this.#publish(taken, lanes).finally(() => {
        this.#publishes.delete(publish);
        this.#end(taken, lanes);
      });
      this.#publishes.add(publish);
      for (const lane of lanes) this.#busy.set(lane, publish);
    }
  }

  #take(): readonly Taken[] {
    const taken: Taken[] = [];
    const load = { commands: 0, bytes: 0 };
    for (const lane of this.#ready) {
      for (const waiting of this.#waiting.get(lane) ?? []) {
        if (!this.#fits(load, waiting)) return taken;
        load.commands += 1;
        load.bytes += waiting.bytes;
        this.#underWay.commands += 1;
        this.#underWay.bytes += waiting.bytes;
        waiting.leave();
        this.#forget(lane, waiting);
        this.#ready.delete(lane);
        taken.push({ lane, waiting, command: lane.commandOf(waiting.draft) });
      }
    }
    return taken;
  }

  /** It does not wait any more. */
  #forget(lane: Lane, waiting: Waiting): void {
    const line = this.#waiting.get(lane);
    if (line?.delete(waiting) === true && line.size === 0) this.#waiting.delete(lane);
  }

  #fits(load: Load, { bytes }: Waiting): boolean {
    const { limits } = this.#options;
    const fitsGroup = load.commands < group.commands && load.bytes + bytes <= group.bytes;
    const fitsLimits = this.#underWay.commands < limits.commands && this.#underWay.bytes + bytes <= limits.bytes;
    return (fitsGroup || load.commands === 0) && (fitsLimits || this.#underWay.commands === 0);
  }

  async #publish(taken: readonly Taken[], lanes: ReadonlySet<Lane>): Promise<void> {
    try {
      const sent = await this.#send(taken);
      if (isPersistenceError(sent)) return refuse(taken, sent);
      for (const [index, { waiting, command }] of taken.entries()) {
        const position = sent[index];
        if (position === undefined) throw new TypeError('a queue answers with a position for every command');
        waiting.resolve({ command, position });
      }
    } catch (error) {
      const failure = toPersistenceError(error);
      for (const lane of lanes) this.fail(lane, failure);
      for (const { waiting } of taken) waiting.reject(failure);
    }
  }

  /** The positions, once the commands are durable, or why nothing was written. A queue that is down is waited for. */
  #send(taken: readonly Taken[]): Promise<readonly Position[] | PersistenceError> {
    const { sink, clock, onFull, refusesWithoutRoom } = this.#options;
    const commands = taken.map(({ command }) => command);
    const signal = this.#signal;
    let mayBeRefused = refusesWithoutRoom === true && isWhole(taken);
    const send = async (): Promise<readonly Position[] | PersistenceError> => {
      try {
        if (!mayBeRefused) return await publishWhenWritable(commands, { sink, signal, onFull });
        return await sink.publish(commands, signal);
      } catch (error) {
        if (mayBeRefused && isWithoutRoom(error)) return error;
        // They may have arrived all the same.
        mayBeRefused = false;
        throw error;
      }
    };
    return patiently(send, clock, signal);
  }

  #end(taken: readonly Taken[], lanes: ReadonlySet<Lane>): void {
    for (const { waiting } of taken) {
      this.#underWay.commands -= 1;
      this.#underWay.bytes -= waiting.bytes;
      this.#settle(waiting.bytes);
    }
    for (const lane of lanes) {
      this.#busy.delete(lane);
      if (this.#signal.aborted) this.fail(lane, closed());
      else if (this.#waiting.has(lane)) this.#ready.add(lane);
    }
    this.#takeSoon();
  }

  #takeBack(lane: Lane, waiting: Waiting): void {
    this.#forget(lane, waiting);
    if (!this.#waiting.has(lane)) this.#ready.delete(lane);
    this.#settle(waiting.bytes);
    waiting.reject(takenBack());
  }

  #settle(bytes: number): void {
    this.#unacknowledged.commands -= 1;
    this.#unacknowledged.bytes -= bytes;
    if (this.#isWritable()) for (const wake of this.#writable) wake();
  }

  #isWritable(): boolean {
    const { limits } = this.#options;
    return this.#unacknowledged.commands < limits.commands && this.#unacknowledged.bytes < limits.bytes;
  }

  #nextSettled(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#writable.delete(wake);
        if (signal !== undefined) this.#aborts.remove(signal, wake);
        resolve();
      };
      this.#writable.add(wake);
      if (signal !== undefined) this.#aborts.add(signal, wake);
    });
  }
}

function takenBack(): PersistenceError {
  return new PersistenceError('ABORTED', 'the command was taken back before it was published');
}

function closed(): PersistenceError {
  return new PersistenceError('ABORTED', 'publishing was given up: nothing more is sent');
}
