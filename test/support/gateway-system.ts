import type { Writer } from '../../src/domain/identifiers.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Queue } from '../../src/ports/queue.ts';
import type { RedisConversation, RedisReply, RedisRequest } from '../../src/ports/redis-peer.ts';
import { WorkingSystem } from './working-system.ts';

export interface GatewaySystemOptions {
  /** Queue, worker and store; default: one of its own. */
  readonly system?: WorkingSystem;
  /** What the gateway publishes to; default: the queue of the system. */
  readonly queue?: Queue;
  readonly clock?: Clock;
  readonly rememberedSessions?: number;
}

let writers = 0;

/** What a client was told, as text: `OK`, `(integer) 1`, `ERR …`, a value, a list, `(nil)`, or `(cut)`. */
export type Told = string | readonly Told[];

/** A queue, a worker, a store, and a gateway between them and clients that are only conversations. */
export class GatewaySystem implements AsyncDisposable {
  readonly system: WorkingSystem;
  readonly gateway: Gateway;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #own: WorkingSystem | undefined;
  #run: Promise<unknown> | undefined;

  constructor({ system, queue, clock = systemClock, rememberedSessions }: GatewaySystemOptions = {}) {
    this.system = system ?? new WorkingSystem();
    this.#own = system === undefined ? this.system : undefined;
    this.#clock = clock;
    this.gateway = new Gateway({
      queue: queue ?? this.system.queue,
      store: this.system.store,
      watch: this.system.watch,
      clock,
      prefix: 'macp',
      rememberedSessions,
      newWriter: () => {
        writers += 1;
        return `//test/gateway/${writers}` as Writer;
      },
    });
  }

  /** Starts gateway and worker. */
  work(): this {
    this.system.work();
    return this.run();
  }

  run(): this {
    this.#run = this.gateway.run(this.#stopping.signal).catch((error: unknown) => error);
    return this;
  }

  /** What the gateway's life ended with; undefined where it was stopped. */
  async ended(): Promise<unknown> {
    return await this.#run;
  }

  client(): GatewayClient {
    return new GatewayClient(this.gateway, this.#clock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#run;
    await this.#own?.[Symbol.asyncDispose]();
  }
}

/** A client that is only a conversation. */
export class GatewayClient {
  /** Why it was cut, if it was. */
  cutBecause: string | undefined;
  readonly #conversation: RedisConversation;
  readonly #clock: Clock;

  constructor(gateway: Gateway, clock: Clock) {
    this.#clock = clock;
    this.#conversation = gateway.converse({
      address: 'test',
      cut: (reason) => {
        this.cutBecause ??= reason;
      },
    });
  }

  /** Sends a request given as words. */
  async send(...words: readonly string[]): Promise<Told> {
    return tell(await this.#conversation.request(this.#request(words)));
  }

  async transaction(...requests: readonly (readonly string[])[]): Promise<Told> {
    return tell(await this.#conversation.transaction(requests.map((words) => this.#request(words))));
  }

  close(): void {
    this.#conversation.closed();
  }

  #request([command = '', ...words]: readonly string[]): RedisRequest {
    return { command, arguments: words.map((word) => Buffer.from(word)), arrived: this.#clock.elapsed() };
  }
}

async function tell(reply: RedisReply | undefined): Promise<Told> {
  switch (reply?.kind) {
    case undefined:
      return '(cut)';
    case 'null':
      return '(nil)';
    case 'simple':
    case 'error':
      return reply.text;
    case 'integer':
      return `(integer) ${reply.value}`;
    case 'bulk':
      return Buffer.from(reply.bytes).toString();
    case 'array':
      return await Promise.all(reply.items.map(tell));
    case 'stream': {
      const told: string[] = [];
      for await (const values of reply.chunks) told.push(...values.map((value) => Buffer.from(value).toString()));
      return told.length === reply.count ? told : `${told.length} values instead of ${reply.count}`;
    }
  }
}
