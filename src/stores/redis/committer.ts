import { decodeCursorVersion } from '../../domain/encoding/cursor.ts';
import { decodeStoredPosition } from '../../domain/encoding/position.ts';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { Plan } from '../../domain/plan.ts';
import { storeNotDurable } from '../../ports/not-durable.ts';
import type { RedisConnection, ScriptAnswer } from '../../redis/connection.ts';
import { durabilityOf } from '../../redis/durability.ts';
import { bytesOf, listOf, numberOf, textOf } from '../../redis/replies.ts';
import { cursorMismatch, positionMismatch } from '../plan-checks.ts';
import type { CommitInput } from './commit-input.ts';
import { commitScript } from './commit-script.ts';
import { type CommitPart, type Encoding, encodeCheck, encodeCommit } from './encode-commit.ts';
import { barrierScript } from './maintenance-scripts.ts';
import { splitPlan } from './split-plan.ts';

/** How many replicas must hold a commit before it counts, and how many milliseconds they are given. */
export interface ReplicaBarrier {
  readonly count: number;
  readonly timeoutMs: number;
}

/** What must hold before a commit counts. */
export interface CommitBarriers {
  readonly replicas: ReplicaBarrier | undefined;
  /** What Redis acknowledges must survive a power cut. */
  readonly requiresDurable: boolean;
}

/** A part that stands in the store, and the connection on which the last write to it was sent. */
interface Standing {
  readonly socket: object | undefined;
}

/**
 * Commits plans, one at a time. A commit that failed before its answer came may have happened: when the very same
 * plan is committed again and everything is found where it leads, it counts as done.
 */
export class Committer {
  readonly #connection: RedisConnection;
  readonly #encoding: Encoding;
  readonly #barriers: CommitBarriers;
  readonly #unsettled = new WeakSet<Plan>();

  constructor(connection: RedisConnection, encoding: Encoding, barriers: CommitBarriers) {
    this.#connection = connection;
    this.#encoding = encoding;
    this.#barriers = barriers;
  }

  /** See `Store.commit`. */
  async commit(plan: Plan): Promise<void> {
    try {
      await this.#commit(plan);
      this.#unsettled.delete(plan);
    } catch (error) {
      if (!isPersistenceError(error) || error.retryable) this.#unsettled.add(plan);
      throw error;
    }
  }

  async #commit(plan: Plan): Promise<void> {
    const { sessions, home } = splitPlan(plan, this.#encoding.keys);
    const parts = home === undefined ? sessions : [home, ...sessions];
    // Of several parts each is atomic by itself: what cannot be committed is noticed before the first of them is.
    if (parts.length > 1) await this.#check(plan, parts);
    await this.#onReplicas(await Promise.all(sessions.map((part) => this.#apply(plan, part))));
    // Positions come last: where they stand, what came before is in the store.
    if (home !== undefined) await this.#onReplicas([await this.#apply(plan, home)]);
    if (this.#barriers.requiresDurable) await this.#onDurable();
  }

  /** Asked behind the commit: whoever answers now is who acknowledges it. */
  async #onDurable(): Promise<void> {
    const { weaknesses } = await durabilityOf(this.#connection);
    if (weaknesses.length > 0) throw storeNotDurable(this.#encoding.keys.kind, weaknesses);
  }

  async #check(plan: Plan, parts: readonly CommitPart[]): Promise<void> {
    const inputs = parts.map((part) => encodeCheck(part, this.#encoding).finish({ writes: false }));
    const answers = await Promise.all(inputs.map((input) => this.#run(input).then((answer) => ({ input, answer }))));
    // The first of them holds the positions: whoever starts from another one is to learn just that.
    for (const [index, { input, answer }] of answers.entries()) {
      const part = parts[index];
      if (part !== undefined) this.#judge(plan, part, input, answer);
    }
  }

  async #apply(plan: Plan, part: CommitPart): Promise<Standing> {
    const input = encodeCommit(part, this.#encoding).finish();
    const answer = await this.#run(input);
    const outcome = this.#judge(plan, part, input, answer);
    if (outcome === 'applied' || this.#barriers.replicas === undefined) return answer;
    // Only what this connection wrote is waited for: so it writes something behind what another one wrote.
    return await this.#connection.script(barrierScript, [part.bucket.barrier], []);
  }

  #run(input: CommitInput): Promise<ScriptAnswer> {
    return this.#connection.script(commitScript, input.keys, input.args);
  }

  /** Throws what the answer of the commit script means, unless the part stands in the store now. */
  #judge(plan: Plan, part: CommitPart, input: CommitInput, answer: ScriptAnswer): 'applied' | 'already' {
    const [what, first, second] = listOf(answer.reply);
    const outcome = textOf(what);
    switch (outcome) {
      case 'applied':
        return outcome;
      case 'already':
        if (this.#unsettled.has(plan) || answer.inDoubt) return outcome;
        throw committedBefore(part);
      case 'position': {
        const step = part.positions[numberOf(first)];
        if (step === undefined) break;
        const stored = bytesOf(second) ?? new Uint8Array();
        throw positionMismatch(step, stored.length === 0 ? undefined : decodeStoredPosition(stored));
      }
      case 'cursor': {
        const change = part.changes[numberOf(first)];
        if (change === undefined) break;
        const stored = bytesOf(second) ?? new Uint8Array();
        throw cursorMismatch(change, stored.length === 0 ? undefined : decodeCursorVersion(stored));
      }
    }
    throw this.#corrupt(outcome, input, answer);
  }

  #corrupt(outcome: string | undefined, input: CommitInput, { reply }: ScriptAnswer): PersistenceError {
    const [, first, second] = listOf(reply);
    const key = typeof first === 'number' ? JSON.stringify(input.keys[first - 1]) : '';
    const { where } = this.#connection;
    const found: Readonly<Record<string, () => string>> = {
      type: () => `key ${key} is a ${textOf(second)}, which no store puts there`,
      length: () => `the log ${key} has ${second} entries, which are not those that the store put there`,
      total: () => `the stored total ${textOf(first)} cannot be read back`,
      identity: () => 'the store that was opened is not there any more',
    };
    return new PersistenceError('STORE_CORRUPT', `${where}: ${found[outcome ?? '']?.() ?? 'an answer is unknown'}`);
  }

  async #onReplicas(standings: readonly Standing[]): Promise<void> {
    const barrier = this.#barriers.replicas;
    if (barrier === undefined) return;
    const sockets = [...new Set(standings.map(({ socket }) => socket))];
    await Promise.all(
      sockets.map(async (socket) => {
        const replicas = await this.#connection.waitForReplicas(socket, barrier.count, barrier.timeoutMs);
        if (replicas !== undefined && replicas >= barrier.count) return;
        const held = replicas === undefined ? 'the connection broke' : `${replicas} did`;
        throw new PersistenceError(
          'STORE_UNAVAILABLE',
          `${barrier.count} replicas were to take a commit within ${barrier.timeoutMs} ms, and ${held}`,
        );
      }),
    );
  }
}

/** Everything stands where the plan leads, but nobody tried to commit it here: another did, or this was done before. */
function committedBefore({ positions, changes }: CommitPart): PersistenceError {
  const [step] = positions;
  if (step !== undefined) return positionMismatch(step, step.to);
  const [change] = changes;
  if (change !== undefined) return cursorMismatch(change, change.after.version);
  return new PersistenceError('UNEXPECTED', 'a commit of nothing was found to be done already');
}
