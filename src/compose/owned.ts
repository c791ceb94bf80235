import { relative } from 'node:path';
import { type QueueAddress, type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { isExclusive, queueAddress, storeAddress } from './open.ts';

/** What a process keeps others from opening, each by its place; undefined where it does not. */
export interface Owned {
  readonly store?: string | undefined;
  readonly queue?: string | undefined;
}

/** What a process owns that has these parts of the settings open. */
export function ownedOf(values: Values, open: { readonly sharedStore: boolean; readonly queue: boolean }): Owned {
  const queue = queueAddress(values);
  return {
    store: open.sharedStore ? undefined : placeOf(storeAddress(values), values),
    queue: open.queue && isExclusive(queue) ? placeOf(queue, values) : undefined,
  };
}

/** True when whoever owns this also owns what the settings name. */
export function owns(owned: Owned, part: keyof Owned, values: Values): boolean {
  return owned[part] === placeOf(part === 'store' ? storeAddress(values) : queueAddress(values), values);
}

/** True for the store that lies where the data directory alone says. */
export function isStoreOfDataDirectory(values: Values): boolean {
  const store = storeAddress(values);
  const own = storeAddress({ store: { kind: store.kind, named: true }, dataDir: values.dataDir });
  return placeOf(store, values) === placeOf(own, values);
}

/** Seen from the data directory, so that it reads the same from whatever directory that is named. */
function placeOf(address: StoreAddress | QueueAddress, { dataDir }: Pick<Values, 'dataDir'>): string {
  return 'directory' in address ? `${address.kind}:${relative(dataDir, address.directory)}` : showAddress(address);
}
