import { setTimeout as delay } from 'node:timers/promises';
import { CallFailed, NotAccepted, type RuntimeClient } from '../runtime-client.ts';
import { type Step, type Story, sessionIdOf, stateAfter } from './stories.ts';

/** What agents know of one session that they carried on. */
export interface Carried {
  readonly session: string;
  readonly story: Story;
  /** So many steps, from the first, the runtime has told them that it took. */
  acknowledged: number;
  /** So many it was asked for. Whether it took the one that is asked for and not acknowledged is open. */
  asked: number;
  /** The receipt, once the runtime has issued it. */
  receipt: string | undefined;
}

export interface AgentsOptions {
  /** Of the sessions' ids: the same words, stories and rounds give the same ids. */
  readonly run: string;
  /** What every agent's clock shows, in milliseconds since 1970. */
  readonly clock: number;
  /** How many sessions are carried on at a time; a runtime serves 64 requests of a connection side by side. */
  readonly atOnce: number;
}

/**
 * Agents that work in many sessions at once. One whose request fails, or whose runtime is gone, asks again what it has
 * no answer to, with the same message, of whichever runtime is there then: as agents do, and as upstream advises them.
 */
export class Agents {
  readonly carried: Carried[] = [];
  /** How many requests ended without an answer that settles them. */
  unsettled = 0;
  /** The runtime to ask; undefined while there is none. */
  runtime: RuntimeClient | undefined;
  readonly #options: AgentsOptions;
  #acknowledged = 0;
  #stopped = false;
  #failed: unknown;

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  /** How many steps were acknowledged, in all sessions. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Carries on every story to its end, once. Rejects where a runtime refuses what it took when it was recorded. */
  async tell(stories: readonly Story[]): Promise<void> {
    const left = stories.map((story) => this.#begin(story, 0));
    await this.#inParallel(async () => {
      for (let carried = left.shift(); carried !== undefined; carried = left.shift()) await this.#carryOn(carried);
    });
  }

  /** Carries on one session after the other, of every story in turn, until {@link stop}. Rejects as {@link tell} does. */
  async keepTelling(stories: readonly Story[]): Promise<void> {
    let begun = 0;
    await this.#inParallel(async () => {
      while (!this.#stopped) {
        const story = stories[begun % stories.length];
        if (story === undefined) throw new RangeError('there are no stories');
        begun += 1;
        await this.#carryOn(this.#begin(story, begun));
      }
    });
  }

  /** Every agent stops after the request that it has under way, or has no answer to. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves once so many more steps were acknowledged. Rejects when an agent has failed. */
  async more(steps: number): Promise<void> {
    const goal = this.#acknowledged + steps;
    while (this.#acknowledged < goal) {
      if (this.#failed !== undefined) throw this.#failed;
      await delay(5);
    }
  }

  /** No runtime will come any more: whoever waits for the agents is told why. */
  fail(error: unknown): void {
    this.#failed ??= error;
    this.#stopped = true;
  }

  #begin(story: Story, round: number): Carried {
    const session = sessionIdOf(this.#options.run, story.name, round);
    const carried: Carried = { session, story, acknowledged: 0, asked: 0, receipt: undefined };
    this.carried.push(carried);
    return carried;
  }

  async #inParallel(work: () => Promise<void>): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#options.atOnce }, work));
    } catch (error) {
      this.fail(error);
    }
    if (this.#failed !== undefined) throw this.#failed;
  }

  async #carryOn(carried: Carried): Promise<void> {
    for (const step of carried.story.steps) {
      carried.asked += 1;
      if (!(await this.#insist(carried, step))) return;
      carried.acknowledged += 1;
      this.#acknowledged += 1;
      if (this.#stopped) return;
    }
  }

  /** Resolves with false where nobody answered until the agents were stopped. */
  async #insist(carried: Carried, step: Step): Promise<boolean> {
    for (let isRepeated = false; ; isRepeated = true) {
      const { runtime } = this;
      try {
        if (runtime !== undefined) {
          await this.#ask(runtime, carried, step, isRepeated);
          return true;
        }
      } catch (error) {
        if (isRefusal(error)) {
          const { story, session, asked } = carried;
          throw new Error(`step ${asked} of ${story.name}, session ${session}: ${error}`, { cause: error });
        }
        this.unsettled += 1;
      }
      if (this.#stopped) return false;
      await delay(20);
    }
  }

  async #ask(runtime: RuntimeClient, carried: Carried, step: Step, isRepeated: boolean): Promise<void> {
    const { session } = carried;
    if (step.kind === 'send') {
      await runtime.send({ ...step.message, session, sentAt: this.#options.clock });
    } else if (step.kind === 'receipt') {
      carried.receipt = await runtime.decisionReceipt(session, step.by);
    } else {
      // Rulings have no id by which a runtime would know them again: the state tells whether one was made.
      const { state } = isRepeated ? await runtime.getSession(session, step.by) : { state: '' };
      if (state !== stateAfter[step.ruling]) await runtime.rule(step.ruling, session, step.reason, step.by);
    }
  }
}

/** What is true of the runtime, the store and the network alone, and would not be so again. */
const passing = { code: 'INTERNAL_ERROR', statuses: [undefined, 13, 14] };

function isRefusal(error: unknown): boolean {
  if (error instanceof NotAccepted) return error.code !== passing.code;
  return error instanceof CallFailed && !passing.statuses.includes(error.status);
}
