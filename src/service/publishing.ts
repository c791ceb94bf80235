import { isPersistenceError } from '../domain/errors.ts';
import type { Writer } from '../domain/identifiers.ts';
import type { Clock } from '../ports/clock.ts';
import type { PublishRequest, PublishResult } from '../ports/service.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Sent } from '../publisher/lane.ts';
import type { CommandOutcome } from '../publisher/outcome.ts';
import { Outcomes } from '../publisher/outcomes.ts';
import { readEvents } from '../publisher/read-events.ts';
import type { Sink } from '../publisher/sink.ts';
import type { PublishingPart } from './local-service.ts';
import { publishResult, within } from './publish-result.ts';
import { SessionWriters } from './session-writers.ts';

export interface PublishingOptions {
  readonly queue: Sink;
  /** Of the store in which the queue's commands are applied. */
  readonly watch: SessionWatch;
  readonly clock: Clock;
  /** Who numbers what comes without a number: a name that nobody has used before. */
  readonly writer: Writer;
}

const mostSessions = 10_000;

/**
 * Publishes events, see `Service`: numbered ones, claims and decisions as they are, in one publish; others as their
 * writer. Throws `EventsRefused`, with nothing sent, unless every event of the request can be sent; what
 * {@link SessionWriters.send} throws; and what the queue refuses with.
 */
export class Publishing implements PublishingPart, AsyncDisposable {
  readonly #options: PublishingOptions;
  readonly #writers: SessionWriters;
  readonly #outcomes: Outcomes;

  constructor(options: PublishingOptions) {
    const { queue, watch, clock, writer } = options;
    this.#options = options;
    this.#writers = new SessionWriters({ sink: queue, watch, clock, writer, mostSessions });
    this.#outcomes = new Outcomes(options);
  }

  async publish(request: PublishRequest): Promise<readonly PublishResult[]> {
    const { clock } = this.#options;
    const start = clock.elapsed();
    const sent = await this.#send(request);
    // Claims may have taken a part of the time.
    const timeout = Math.max(0, request.timeout - (clock.elapsed() - start));
    const outcomes = request.until === 'applied' ? await this.#outcomesOf(sent, { ...request, timeout }) : [];
    return sent.map(({ command, position }, index) => publishResult(command, position, outcomes[index]));
  }

  /** Gives up what waits, and resolves once what is under way is settled. Idempotent. */
  close(): Promise<void> {
    return this.#writers.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #send(request: PublishRequest): Promise<readonly Sent[]> {
    const { queue, writer } = this.#options;
    const events = readEvents(request.events, writer);
    if (events.kind === 'unnumbered') return await this.#writers.send(events.commands, request);
    const positions = await queue.publish(events.commands, request.signal);
    return events.commands.map((command, index) => {
      const position = positions[index];
      if (position === undefined) throw new TypeError('a queue answers with a position for every command');
      return { command, position };
    });
  }

  /** What became of each until the time was up; undefined for those of which that is not known yet. */
  async #outcomesOf(
    sent: readonly Sent[],
    { timeout, signal }: PublishRequest,
  ): Promise<readonly (CommandOutcome | undefined)[]> {
    const { clock } = this.#options;
    const known = await within(timeout, clock, signal, (limit) =>
      Promise.all(
        sent.map(async ({ command }) => {
          try {
            return await this.#outcomes.of(command, limit);
          } catch (error) {
            if (isPersistenceError(error, 'ABORTED') && signal?.aborted !== true) return undefined;
            throw error;
          }
        }),
      ),
    );
    return known ?? [];
  }
}
