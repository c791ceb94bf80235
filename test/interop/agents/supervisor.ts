import { setTimeout as delay } from 'node:timers/promises';
import { RunningRuntime, type RuntimeOptions } from '../runtime.ts';
import { CallFailed } from '../runtime-client.ts';
import type { Agents } from './agents.ts';

/**
 * Keeps one runtime running for the agents: it is started anew where it has ended, and where it can reach its store no
 * more, which it never tries again by itself. As docs/failover.md advises, that is found out by asking for the receipt
 * of a session that nobody knows, for which it has to ask its store.
 */
export class Supervisor implements AsyncDisposable {
  /** Of every runtime that was started, in turn: how many sessions it recovered. */
  readonly recovered: number[] = [];
  readonly #options: RuntimeOptions;
  readonly #agents: Agents;
  readonly #watching: Promise<void>;
  #runtime: RunningRuntime | undefined;
  #ended = false;
  #failure: unknown;

  constructor(options: RuntimeOptions, agents: Agents) {
    this.#options = options;
    this.#agents = agents;
    this.#watching = this.#watch().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Resolves once so many runtimes have been started in all, the last one serving. Rejects when one cannot recover. */
  async started(count: number): Promise<RunningRuntime> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#runtime !== undefined && this.recovered.length >= count) return this.#runtime;
      await delay(5);
    }
  }

  /** SIGKILL; another one is started. */
  async kill(): Promise<void> {
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#watching;
    await this.#end();
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      if (this.#runtime === undefined) await this.#start();
      else if (!(await reachesStore(this.#runtime))) await this.#end();
      else await delay(50);
    }
  }

  async #start(): Promise<void> {
    try {
      const runtime = await RunningRuntime.start(this.#options);
      this.#runtime = runtime;
      this.recovered.push(runtime.recovered);
      this.#agents.runtime = runtime.client;
    } catch (error) {
      // Its store is not there yet. A store that it cannot understand will not become better.
      if (`${error}`.includes('failed to replay')) throw error;
      await delay(50);
    }
  }

  async #end(): Promise<void> {
    const runtime = this.#runtime;
    this.#runtime = undefined;
    this.#agents.runtime = undefined;
    await runtime?.[Symbol.asyncDispose]();
  }
}

const unknownSession = 'nobody-has-begun-this-one';
const notFound = 5;

async function reachesStore({ client }: RunningRuntime): Promise<boolean> {
  try {
    await client.decisionReceipt(unknownSession, 'agent://lead');
    return true;
  } catch (error) {
    return error instanceof CallFailed && error.status === notFound;
  }
}
