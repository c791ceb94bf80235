import type { Values } from '../configuration/settings.ts';
import type { Store } from '../ports/store.ts';
import { SessionReader } from '../read-side/session-reader.ts';
import { openExistingStore, storeAddress } from './open.ts';

export type { SessionReader };

/** The configured store, opened for reading. */
export interface OpenedReader extends AsyncDisposable {
  readonly reader: SessionReader;
}

/** Opens the configured store for reading; closed with what is returned. */
export async function openReader(values: Values): Promise<OpenedReader> {
  const store: Store = await openExistingStore(storeAddress(values));
  return { reader: new SessionReader(store), [Symbol.asyncDispose]: () => store.close() };
}
