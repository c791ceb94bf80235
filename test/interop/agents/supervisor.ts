import { setTimeout as delay } from 'node:timers/promises';
import { RunningRuntime, RuntimeEnded, type RuntimeOptions } from '../runtime.ts';
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
  readonly #ending = new AbortController();
  #failure: unknown;

  constructor(options: RuntimeOptions, agents: Agents) {
    this.#options = options;
    this.#agents = agents;
    this.#watching = this.#watch().catch((error: unknown) => {
      if (this.#ending.signal.aborted) return;
      this.#failure = error;
      agents.fail(error);
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

  /** Ends the supervision, and leaves the runtime that serves to whoever calls. */
  async leave(): Promise<RunningRuntime> {
    const runtime = await this.started(1);
    this.#ending.abort();
    await this.#watching;
    this.#runtime = undefined;
    return runtime;
  }

  /** SIGKILL; another one is started. */
  async kill(): Promise<void> {
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    await this.#end();
  }

  async #watch(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      if (this.#runtime === undefined) await this.#start();
      else if (await reachesStore(this.#runtime)) await delay(50);
      else if (!this.#ending.signal.aborted) await this.#end();
    }
  }

  async #start(): Promise<void> {
    const runtime = await startOnceReachable(this.#options, this.#ending.signal);
    this.#runtime = runtime;
    this.recovered.push(runtime.recovered);
    this.#agents.runtime = runtime.client;
  }

  async #end(): Promise<void> {
    const runtime = this.#runtime;
    this.#runtime = undefined;
    this.#agents.runtime = undefined;
    await runtime?.[Symbol.asyncDispose]();
  }
}

/**
 * Starts a runtime, again and again where it ends because its store is not there yet, until the signal is aborted.
 * Rejects where it finds there what it cannot replay, and where it cannot be started at all.
 */
async function startOnceReachable(options: RuntimeOptions, signal: AbortSignal): Promise<RunningRuntime> {
  for (;;) {
    try {
      return await RunningRuntime.start(options);
    } catch (error) {
      if (!(error instanceof RuntimeEnded) || error.message.includes('failed to replay')) throw error;
      await delay(50, undefined, { signal });
    }
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
