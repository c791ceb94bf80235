import { PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Waits with a signal that is aborted together with any of `signals`, and once the wait is over. Not `AbortSignal.any`:
 * in Node.js 20 a signal that lives long holds on to everything that was ever derived from it like that.
 */
export async function whileWaiting<Result>(
  signals: readonly (AbortSignal | undefined)[],
  wait: (over: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const end = (): void => over.abort();
  if (signals.some((signal) => signal?.aborted === true)) end();
  for (const signal of signals) signal?.addEventListener('abort', end, { once: true });
  try {
    return await wait(over.signal);
  } finally {
    for (const signal of signals) signal?.removeEventListener('abort', end);
    end();
  }
}

/**
 * What `answer` resolves or rejects with; `QUEUE_UNAVAILABLE` when it does neither within `milliseconds`, and `ABORTED`
 * once one of `signals` is aborted: whatever a library promises of its own timeouts, nobody waits longer.
 */
export async function answeredWithin<Answer>(
  clock: Clock,
  milliseconds: number,
  doing: string,
  answer: Promise<Answer>,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<Answer> {
  // Whichever comes second is of no interest.
  answer.catch(() => undefined);
  return await whileWaiting(signals, (over) => {
    const late = clock.sleep(milliseconds, over).then(() => {
      throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: no answer within ${milliseconds} ms`);
    });
    late.catch(() => undefined);
    return Promise.race([answer, late]);
  });
}
