import type { RedisRequest } from '../ports/redis-peer.ts';

/** What a client sent between MULTI and EXEC. */
export class Transaction {
  readonly #requests: RedisRequest[] = [];
  #size = 0;
  #isBroken = false;

  get requests(): readonly RedisRequest[] {
    return this.#requests;
  }

  /** About the bytes that it holds. */
  get size(): number {
    return this.#size;
  }

  /** True once something was refused: nothing of it will be done. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  add(request: RedisRequest, size: number): void {
    this.#requests.push(request);
    this.#size += size;
  }

  /** Lets go of what was queued. */
  break(): void {
    this.#isBroken = true;
    this.#requests.length = 0;
    this.#size = 0;
  }
}
