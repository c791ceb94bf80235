/** Who is to be told when a signal is aborted: one listener on each signal, however many wait with the same one. */
export class AbortListeners {
  readonly #bySignal = new Map<AbortSignal, { readonly callbacks: Set<() => void>; readonly listener: () => void }>();

  /** Calls `callback` when `signal`, which is not aborted yet, is. */
  add(signal: AbortSignal, callback: () => void): void {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) {
      known.callbacks.add(callback);
      return;
    }
    const callbacks = new Set([callback]);
    const listener = (): void => {
      this.#bySignal.delete(signal);
      for (const call of callbacks) call();
    };
    this.#bySignal.set(signal, { callbacks, listener });
    signal.addEventListener('abort', listener, { once: true });
  }

  /** Forgets what {@link add} was given, if it still knows it. */
  remove(signal: AbortSignal, callback: () => void): void {
    const known = this.#bySignal.get(signal);
    if (known?.callbacks.delete(callback) !== true || known.callbacks.size > 0) return;
    this.#bySignal.delete(signal);
    signal.removeEventListener('abort', known.listener);
  }
}
