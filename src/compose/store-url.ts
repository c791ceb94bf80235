import { AddressProblem, parseStoreReference, type StoreAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { storeAdapters } from './adapters.ts';
import { storeAddress } from './open.ts';
import { isLocked } from './owner.ts';

/** What is wrong with the URL of a store of this build, or undefined. */
export function storeUrlProblem(text: string): string | undefined {
  return storeProblem(text, Object.keys(storeAdapters));
}

/** What is wrong with the URL of a store of one of these kinds, or undefined. */
export function storeProblem(text: string, kinds: readonly string[]): string | undefined {
  try {
    parseStoreReference(text, kinds);
    return undefined;
  } catch (error) {
    if (error instanceof AddressProblem) return error.message;
    throw error;
  }
}

/** Where the store of this URL lies; {@link storeUrlProblem} has found nothing wrong with it. */
export function storeAt(url: string, values: Pick<Values, 'dataDir'>): StoreAddress {
  const store = parseStoreReference(url, Object.keys(storeAdapters));
  return storeAddress({ store, dataDir: values.dataDir });
}

/** Says what else can be read where another process has the store open. */
export function refuseLocked(error: unknown): never {
  if (!isLocked(error) || !isPersistenceError(error)) throw error;
  throw new PersistenceError(
    error.code,
    `${error.message}; stop it, or make a backup through it and take that: KIND:BACKUP`,
    { cause: error.cause },
  );
}
