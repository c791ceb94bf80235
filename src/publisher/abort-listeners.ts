import { setMaxListeners } from 'node:events';

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

  /**
   * Runs `use` with a signal of its own, which is aborted as soon as one of `signals` is, and which any number of waits
   * may share.
   */
  async during<Result>(
    signals: readonly (AbortSignal | undefined)[],
    use: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const given = signals.filter((signal) => signal !== undefined);
    const own = new AbortController();
    setMaxListeners(0, own.signal);
    const abort = (): void => own.abort();
    if (given.some(({ aborted }) => aborted)) abort();
    else for (const signal of given) this.add(signal, abort);
    try {
      return await use(own.signal);
    } finally {
      for (const signal of given) this.remove(signal, abort);
      // Whatever else still waits with it, after one of several waits failed, waits for nobody.
      own.abort();
    }
  }
}
