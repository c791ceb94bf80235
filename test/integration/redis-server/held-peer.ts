import type {
  RedisAnswer,
  RedisArity,
  RedisClient,
  RedisConversation,
  RedisPeer,
  RedisRequest,
} from '../../../src/ports/redis-peer.ts';

/** A request that waits for what the test answers. */
export interface HeldRequest {
  readonly requests: readonly RedisRequest[];
  answer(reply: RedisAnswer | undefined): void;
}

/** A peer that answers when the test says so. */
export class HeldPeer implements RedisPeer {
  readonly commands: ReadonlyMap<string, RedisArity> = new Map([['ASK', { least: 0, most: 10 }]]);
  readonly clients: RedisClient[] = [];
  readonly held: HeldRequest[] = [];
  gone = 0;
  #changed: (() => void)[] = [];

  converse(client: RedisClient): RedisConversation {
    this.clients.push(client);
    return {
      request: (request) => this.#hold([request]),
      transaction: (requests) => this.#hold(requests),
      closed: () => {
        this.gone += 1;
        this.#tell();
      },
    };
  }

  /** Resolves once `condition` holds. */
  async until(condition: (peer: HeldPeer) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #hold(requests: readonly RedisRequest[]): Promise<RedisAnswer | undefined> {
    const answered = new Promise<RedisAnswer | undefined>((answer) => this.held.push({ requests, answer }));
    this.#tell();
    return answered;
  }

  #tell(): void {
    for (const tell of this.#changed.splice(0)) tell();
  }
}
