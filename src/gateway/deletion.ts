import type { RedisReply } from '../ports/redis-peer.ts';
import { Attempt } from './attempt.ts';
import type { DeletionPart } from './operations.ts';

/** One reply to each part, one error for all of them, or undefined: none may be given. */
export type DeletionReplies = readonly RedisReply[] | RedisReply | undefined;

/**
 * The DELs of one session, which are answered with the SREM that follows them: that is how macp-runtime deletes a
 * session, in one pipeline. The delete is published at the SREM; without one nothing is done.
 */
export class Deletion {
  /** Of all its requests together: the first that is late takes the others with it. */
  readonly attempt = new Attempt();
  readonly #parts: DeletionPart[] = [];
  readonly #waiting: ((replies: DeletionReplies) => void)[] = [];

  get parts(): readonly DeletionPart[] {
    return this.#parts;
  }

  /** True when `part` may follow: it is of the same session, and came in time. */
  takes(part: DeletionPart): boolean {
    return !this.attempt.isGivenUp && this.#parts.every(({ session }) => session === part.session);
  }

  /** The reply to one more part, once there is one. */
  add(part: DeletionPart): Promise<RedisReply | undefined> {
    const index = this.#parts.push(part) - 1;
    return new Promise((resolve) => {
      this.#waiting.push((replies) => {
        const isOne = replies === undefined || 'kind' in replies;
        resolve(isOne ? replies : replies[index]);
      });
    });
  }

  /** Answers all parts. */
  end(replies: DeletionReplies): void {
    for (const answer of this.#waiting.splice(0)) answer(replies);
  }
}
