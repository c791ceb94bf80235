import type { Command } from '../domain/command.ts';
import type { Position } from '../domain/delivery.ts';
import { isPersistenceError } from '../domain/errors.ts';
import { encodeEvent } from '../domain/wire/structured.ts';
import type { Clock } from '../ports/clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { PublishResult, Service } from '../ports/service.ts';
import { inParts } from './in-parts.ts';

/** Most bytes of events in one request: what a service takes unless it is told otherwise, less what stands around them. */
const longestBody = 31 * 1024 * 1024;
const shortestPause = 20;
const longestPause = 2_000;

/** Publishes commands through a service, as if its queue were here: numbered commands, claims and decisions. */
export class RemoteSink implements Pick<Queue, 'publish' | 'whenWritable'> {
  readonly #service: Pick<Service, 'publish'>;
  readonly #clock: Clock;
  /** How long to wait for room next. */
  #pause = shortestPause;
  /** Most bytes of events in one request, as far as is known. */
  #longestBody = longestBody;

  /** The service belongs to whoever connected to it. */
  constructor(service: Pick<Service, 'publish'>, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
  }

  /**
   * See {@link Queue.publish}. What does not fit into one request travels in several, one after another: when one of
   * them fails, those before it are durable. `SERVICE_UNAVAILABLE` leaves open whether the last one is: published
   * again, its commands are duplicates.
   */
  async publish(commands: readonly Command[], signal?: AbortSignal): Promise<readonly Position[]> {
    const positions: Position[] = [];
    for (const events of bodies(commands, this.#longestBody)) {
      for (const { position } of await inParts(events, (part) => this.#send(part, signal))) positions.push(position);
    }
    this.#pause = shortestPause;
    return positions;
  }

  async #send(events: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<readonly PublishResult[]> {
    try {
      return await this.#service.publish({ events, until: 'durable', timeout: 0, signal });
    } catch (error) {
      const bytes = events.reduce((sum, { length }) => sum + length, 0);
      // Later requests are not made in vain.
      if (isPersistenceError(error, 'REQUEST_TOO_LARGE')) this.#longestBody = Math.ceil(bytes / 2);
      throw error;
    }
  }

  /** Waits, longer each time until something was published: nobody tells over HTTP when a queue has room again. */
  async whenWritable(signal?: AbortSignal): Promise<void> {
    const pause = this.#pause;
    this.#pause = Math.min(longestPause, pause * 2);
    await this.#clock.sleep(pause, signal);
  }
}

function* bodies(commands: readonly Command[], longest: number): Generator<readonly Uint8Array[]> {
  let events: Uint8Array[] = [];
  let bytes = 0;
  for (const command of commands) {
    const event = encodeEvent(command);
    if (events.length > 0 && bytes + event.length >= longest) {
      yield events;
      events = [];
      bytes = 0;
    }
    events.push(event);
    // One more for the comma.
    bytes += event.length + 1;
  }
  if (events.length > 0) yield events;
}
