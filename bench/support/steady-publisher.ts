import { setTimeout as delay } from 'node:timers/promises';
import type { NumberedCommand } from '../../src/domain/command.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import type { Queue } from '../../src/ports/queue.ts';
import { interleavedAppends, sessionIds } from './entries.ts';

const sessions = 1_000;
/** Commands that are published together, and milliseconds between. */
const together = 25;
const pause = 50;

/** Publishes some commands to all partitions again and again, whatever becomes of the brokers. */
export class SteadyPublisher implements AsyncDisposable {
  readonly #queue: Queue;
  readonly #ending = new AbortController();
  readonly #work: Promise<void>;

  constructor(queue: Queue) {
    this.#queue = queue;
    this.#work = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    let commands: NumberedCommand[] = [];
    for (const command of interleavedAppends(sessionIds(sessions), Number.MAX_SAFE_INTEGER)) {
      commands.push(command);
      if (commands.length < together) continue;
      await this.#publish(commands);
      if (this.#ending.signal.aborted) return;
      commands = [];
      await delay(pause);
    }
  }

  /** Once more for as long as it fails: what was written already is a duplicate. */
  async #publish(commands: readonly NumberedCommand[]): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await this.#queue.publish(commands);
        return;
      } catch (error) {
        if (!isPersistenceError(error) || !error.retryable) throw error;
        await this.#queue.whenWritable(signal).catch(() => undefined);
      }
    }
  }
}
