/**
 * Aborts what follows a signal together with it. However many follow a signal, it has one listener: Node warns of more
 * than ten, and `AbortSignal.any` would keep something of every follower for as long as the longest-lived signal lives.
 */
export class SignalFollowers {
  readonly #followers = new Map<AbortSignal, Set<AbortController>>();

  /** Aborts `follower` as soon as one of the signals is, at once where one is already. */
  add(follower: AbortController, signals: readonly AbortSignal[]): void {
    for (const signal of signals) {
      if (signal.aborted) follower.abort();
      else this.#followersOf(signal).add(follower);
    }
  }

  /** To be called for every follower once what it can abort is over. */
  remove(follower: AbortController, signals: readonly AbortSignal[]): void {
    for (const signal of signals) {
      const followers = this.#followers.get(signal);
      followers?.delete(follower);
      if (followers?.size !== 0) continue;
      this.#followers.delete(signal);
      signal.removeEventListener('abort', this.#abort);
    }
  }

  #followersOf(signal: AbortSignal): Set<AbortController> {
    const known = this.#followers.get(signal);
    if (known !== undefined) return known;
    const followers = new Set<AbortController>();
    this.#followers.set(signal, followers);
    signal.addEventListener('abort', this.#abort);
    return followers;
  }

  readonly #abort = ({ target }: Event): void => {
    for (const follower of this.#followers.get(target as AbortSignal) ?? []) follower.abort();
  };
}
