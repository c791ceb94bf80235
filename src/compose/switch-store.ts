import { type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { isCopyMarker } from '../domain/copy-marker.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { refuseIncompleteCopy } from '../ports/incomplete-copy.ts';
import { refusePartialStore } from '../ports/partial-store.ts';
import type { Store } from '../ports/store.ts';
import { backupDirectory, openExistingStore, storeAddress, storePlace } from './open.ts';
import { readPointer, writePointer } from './store-pointer.ts';
import { storeAt } from './store-url.ts';
import { liesWithin } from './transfer.ts';

/** What a switch came to. */
export interface SwitchReport {
  /** Where the store of the settings lay, and where it lies now. */
  readonly from: string;
  readonly to: string;
  /** How many records the old one has consumed that the new one has not; or why the old one could not be asked. */
  readonly behind: number | PersistenceError;
}

type DirectoryAddress = Extract<StoreAddress, { readonly directory: string }>;

/**
 * Makes the place that the settings name stand for the store at `url`. Whoever has the old one open goes on with it,
 * and finds the new one when it starts anew. Throws `INVALID_CONFIGURATION` for what cannot stand for it.
 */
export async function switchStore(url: string, values: Values): Promise<SwitchReport> {
  const [place, from, to] = [placeOf(values), storeAddress(values), storeAt(url, values)];
  if (to.kind !== place.kind || !('directory' in to)) {
    throw new PersistenceError('INVALID_CONFIGURATION', `a ${place.kind} store is switched to one of its own kind`);
  }
  if (liesWithin(backupDirectory(values), to.directory)) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `${showAddress(to)} is a backup, which no worker is to change: restore it to another place, and switch to that`,
    );
  }
  await using target = await openExistingStore(to, values);
  await refuseUnfit(target, showAddress(to));
  return await point(place, from, to, target, values);
}

/** Makes the place that the settings name stand for the store that it stood for before the latest switch. */
export async function switchBack(values: Values): Promise<SwitchReport> {
  const place = placeOf(values);
  const switched = readPointer(place.directory);
  if (switched === undefined) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      `${showAddress(place)} was never switched: nothing to go back to`,
    );
  }
  const to = { ...place, directory: switched.previous };
  await using target = await openExistingStore(to, values);
  return await point(place, storeAddress(values), to, target, values);
}

function placeOf(values: Values): DirectoryAddress {
  const place = storePlace(values);
  if ('directory' in place) return place;
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `only stores that lie in directories are switched: where --store is ${place.kind}, give it the other address instead`,
  );
}

async function refuseUnfit(target: Store, name: string): Promise<void> {
  await refuseIncompleteCopy(target);
  const sources = (await target.readSources()).filter((source) => !isCopyMarker(source));
  await refusePartialStore(target);
  if (sources.length > 0) return;
  throw new PersistenceError('INVALID_CONFIGURATION', `${name} has consumed nothing: fill it with replay first`);
}

async function point(
  place: DirectoryAddress,
  from: StoreAddress,
  to: DirectoryAddress,
  target: Store,
  values: Values,
): Promise<SwitchReport> {
  if (!('directory' in from) || from.directory === to.directory) {
    throw new PersistenceError('INVALID_CONFIGURATION', `the store lies at ${showAddress(to)} already`);
  }
  const behind = await distance(from, target, values);
  await writePointer(place.directory, { directory: to.directory, previous: from.directory });
  return { from: showAddress(from), to: showAddress(to), behind };
}

/** As {@link SwitchReport.behind}: an old store that is damaged, or gone, is the best reason to leave it. */
async function distance(from: StoreAddress, target: Store, values: Values): Promise<number | PersistenceError> {
  try {
    return await countBehind(from, target, values);
  } catch (error) {
    if (isPersistenceError(error)) return error;
    throw error;
  }
}

async function countBehind(from: StoreAddress, target: Store, values: Values): Promise<number> {
  await using store = await openExistingStore(from, values);
  let behind = 0;
  for (const source of (await store.readSources()).filter((each) => !isCopyMarker(each))) {
    const reached = await target.readPositions(source);
    for (const [partition, { next }] of await store.readPositions(source)) {
      behind += Math.max(0, next - (reached.get(partition)?.next ?? 0));
    }
  }
  return behind;
}
