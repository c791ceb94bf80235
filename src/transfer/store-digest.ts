import type { Digest } from '../domain/digest.ts';
import { encodeFiled } from '../domain/encoding/filed.ts';
import type { DeadLetter } from '../domain/plan.ts';
import type { CopySource } from '../ports/copy-source.ts';
import { FramedDigest } from './session-digest.ts';

/**
 * The digest of a whole store: SHA-256 over the digests of all sessions in the order of their ids, then that of the dead
 * letters without one.
 */
export class StoreDigest {
  readonly #whole = new FramedDigest();

  /** In the order of the sessions' ids. */
  addSession(digest: Digest): void {
    this.#whole.add('s', Buffer.from(digest, 'latin1'));
  }

  /** `letters`: see {@link digestWithoutSession}. */
  finish(letters: Digest): Digest {
    this.#whole.add('l', Buffer.from(letters, 'latin1'));
    return this.#whole.finish();
  }
}

/** The digest of the dead letters that belong to no session; `take` is given each page of them first. */
export async function digestWithoutSession(
  source: CopySource,
  take: (letters: readonly DeadLetter[]) => Promise<void> = () => Promise.resolve(),
): Promise<Digest> {
  const digest = new FramedDigest();
  for await (const letters of source.withoutSession()) {
    await take(letters);
    for (const letter of letters) digest.add('l', encodeFiled(letter));
  }
  return digest.finish();
}
