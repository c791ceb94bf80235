import type { RedisRequest } from '../ports/redis-peer.ts';

const mostRequests = 8_192;
const mostBytes = 64 * 1024 * 1024;
/** What an argument takes beside its bytes, about. */
const overhead = 100;

/**
 * What all connections together have a gateway work on. Who was told that the time is over may wait for a turn all the
 * same, until a queue or a store is there again, and others come meanwhile: that counts as well.
 */
export class Workload {
  #requests = 0;
  #bytes = 0;

  /** True where one more is not too much. A single one may be larger than all may be together. */
  hasRoomFor(request: RedisRequest): boolean {
    return this.#requests === 0 || (this.#requests < mostRequests && this.#bytes + sizeOf(request) <= mostBytes);
  }

  /** Counts the request until `work` on it is settled. Resolves or rejects as that does. */
  async during<Result>(request: RedisRequest, work: Promise<Result>): Promise<Result> {
    const bytes = sizeOf(request);
    this.#requests += 1;
    this.#bytes += bytes;
    try {
      return await work;
    } finally {
      this.#requests -= 1;
      this.#bytes -= bytes;
    }
  }
}

function sizeOf({ arguments: given }: RedisRequest): number {
  return given.reduce((sum, { length }) => sum + length + overhead, overhead);
}
