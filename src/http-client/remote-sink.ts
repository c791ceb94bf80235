import type { Command } from '../domain/command.ts';
import type { Position } from '../domain/delivery.ts';
import { encodeEvent } from '../domain/wire/structured.ts';
import type { Clock } from '../ports/clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { Service } from '../ports/service.ts';

/** Most bytes of events in one request: what the service takes at most, less what stands around them. */
const longestBody = 31 * 1024 * 1024;
const shortestPause = 20;
const longestPause = 2_000;

/** Publishes commands through a service, as if its queue were here: numbered commands, claims and decisions. */
export class RemoteSink implements Pick<Queue, 'publish' | 'whenWritable'> {
  readonly #service: Pick<Service, 'publish'>;
  readonly #clock: Clock;
  /** How long to wait for room next. */
  #pause = shortestPause;

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
    for (const events of bodies(commands)) {
      const results = await this.#service.publish({ events, until: 'durable', timeout: 0, signal });
      for (const { position } of results) positions.push(position);
    }
    this.#pause = shortestPause;
    return positions;
  }

  /** Waits, longer each time until something was published: nobody tells over HTTP when a queue has room again. */
  async whenWritable(signal?: AbortSignal): Promise<void> {
    const pause = this.#pause;
    this.#pause = Math.min(longestPause, pause * 2);
    await this.#clock.sleep(pause, signal);
  }
}

function* bodies(commands: readonly Command[]): Generator<readonly Uint8Array[]> {
  let events: Uint8Array[] = [];
  let bytes = 0;
  for (const command of commands) {
    const event = encodeEvent(command);
    if (events.length > 0 && bytes + event.length >= longestBody) {
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
