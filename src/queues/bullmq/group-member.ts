import { isPersistenceError, PersistenceError, toPersistenceError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FilledStore } from '../../ports/queue.ts';
import { listOf, numberOf, textOf } from '../../redis/replies.ts';
import type { Outage } from '../outage.ts';
import { pauseBefore } from '../patience.ts';
import { answeredWithin } from '../time-limit.ts';
import type { LayoutScripts } from './layout-scripts.ts';
import { attendScript, leaveScript } from './scripts/group-scripts.ts';

/** Told what becomes of a member. */
export interface MemberListener {
  /** The shards that must not go to others yet. */
  owned(): readonly number[];
  /** From now on exactly these. */
  assigned(shards: readonly number[]): void;
  /** The group counts it in, still or again. */
  confirmed(): void;
  failed(error: PersistenceError): void;
}

export interface MemberParts {
  readonly scripts: LayoutScripts;
  readonly shards: number;
  /** Names this member; nobody else ever uses the name. */
  readonly name: string;
  readonly fills: FilledStore | undefined;
  /** Milliseconds after which a member that is not heard of counts as gone. */
  readonly lease: number;
  readonly clock: Clock;
  readonly outage: Outage;
  readonly listener: MemberListener;
}

/** A member says this many times during its lease that it lives. */
const attendancesALease = 4;
const closingPatience = 2_000;
const part = 'group';

/**
 * One of the workers that share the shards out. Redis keeps who lives and who owns which shard; each member takes free
 * shards up to its share, and gives up what it has beyond that once it has finished with it.
 */
export class GroupMember {
  readonly #parts: MemberParts;
  readonly #ended = new AbortController();
  /** When the latest attendance was sent that Redis answered. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** What Redis keeps for this member, and what of that it is to keep. */
  #leased: readonly number[] = [];
  #kept: readonly number[] = [];
  #hurry = new AbortController();
  #isHurried = false;
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  /** False when the group may have given this member up. */
  get isConfirmed(): boolean {
    // Not the elapsed time: that stands still in a machine that sleeps, and that of Redis does not.
    return this.#parts.clock.now() - this.#confirmedAt < this.#parts.lease;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Attends at once: something was given up, or the group has changed. */
  hurry(): void {
    this.#isHurried = true;
    this.#hurry.abort();
  }

  /** Leaves, so that nobody has to wait for the lease to end; for two seconds at most. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { scripts, name, clock, outage } = this.#parts;
    const { connection, keys } = scripts;
    this.#ended.abort();
    this.#hurry.abort();
    const left = this.#running.then(() => connection.script(leaveScript, [keys.group], [name, keys.channel]));
    await answeredWithin(clock, closingPatience, 'leaving the group', left).catch(() => undefined);
    outage.over(part);
  }

  async #run(): Promise<void> {
    const { clock, outage, listener } = this.#parts;
    for (let attempt = 0; !this.#ended.signal.aborted; ) {
      this.#isHurried = false;
      let pause: number;
      try {
        pause = await this.#attend();
        attempt = 0;
        outage.over(part);
      } catch (error) {
        if (!isPersistenceError(error) || !error.retryable) return listener.failed(toPersistenceError(error));
        attempt += 1;
        pause = pauseBefore(attempt);
        outage.failed(part, error);
      }
      if (this.#isHurried || this.#ended.signal.aborted) continue;
      this.#hurry = new AbortController();
      await clock.sleep(pause, this.#hurry.signal).catch(() => undefined);
    }
  }

  /** Resolves with the milliseconds until it should attend again. */
  async #attend(): Promise<number> {
    const { scripts, shards, name, fills, lease, clock, listener } = this.#parts;
    const sentAt = clock.now();
    const owned = listener.owned();
    const givenUp = this.#leased.filter((shard) => !owned.includes(shard) && !this.#kept.includes(shard));
    const args = [name, lease, fills?.id ?? '', shards, scripts.keys.channel, ...givenUp].map(String);
    const reply = await scripts.run(attendScript, [scripts.keys.group], args);
    if (!Array.isArray(reply)) throw conflict(textOf(reply) ?? '', fills);
    const [soonest, surplus, mine] = listOf(reply);
    if (this.#ended.signal.aborted) return 0;
    this.#confirmedAt = sentAt;
    const beyond = numbersOf(surplus);
    this.#leased = numbersOf(mine);
    this.#kept = this.#leased.filter((shard) => !beyond.includes(shard));
    listener.assigned(this.#kept);
    listener.confirmed();
    return Math.min(lease / attendancesALease, numberOf(soonest) + 1);
  }
}

function numbersOf(reply: Parameters<typeof numberOf>[0]): readonly number[] {
  return listOf(reply ?? []).map(numberOf);
}

function conflict(other: string, fills: FilledStore | undefined): PersistenceError {
  return new PersistenceError(
    'GROUP_CONFLICT',
    `the workers of this queue fill the store ${other}, and this one would fill ${fills?.id}: each would get some of ` +
      'the sessions only; give them one store, or this one a queue of its own',
  );
}
