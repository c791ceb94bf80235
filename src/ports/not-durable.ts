import { PersistenceError } from '../domain/errors.ts';

/** What a store of this kind says that has to survive a power cut, and does not as it is set up. */
export function storeNotDurable(kind: string, weaknesses: readonly string[]): PersistenceError {
  const because = weaknesses.map((weakness) => `; ${weakness}`).join('');
  return new PersistenceError(
    'STORE_NOT_DURABLE',
    `a power cut would lose what the ${kind} store acknowledged${because}`,
  );
}
