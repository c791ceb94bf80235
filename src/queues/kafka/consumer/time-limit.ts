import { PersistenceError } from '../../../domain/errors.ts';
import type { Clock } from '../../../ports/clock.ts';

/**
 * What `answer` resolves or rejects with; `QUEUE_UNAVAILABLE` when it does neither within `milliseconds`, and `ABORTED`
 * once `signal` is aborted: whatever a library promises of its own timeouts, nobody waits longer.
 */
export async function answeredWithin<Answer>(
  clock: Clock,
  milliseconds: number,
  doing: string,
  answer: Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> {
  const answered = new AbortController();
  const givenUp = signal === undefined ? answered.signal : AbortSignal.any([answered.signal, signal]);
  const late = clock.sleep(milliseconds, givenUp).then(() => {
    throw new PersistenceError('QUEUE_UNAVAILABLE', `${doing}: no answer within ${milliseconds} ms`);
  });
  // Whichever comes second is of no interest.
  late.catch(() => undefined);
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
  }
}
