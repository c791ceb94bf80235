import { copiedName, copyPartitions, isCopyMarker } from '../domain/copy-marker.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Store } from './store.ts';

/**
 * Refuses a store that is half a copy: what it lacks would be taken for sessions that nobody has begun. Throws
 * `COPY_INCOMPLETE`.
 */
export async function refuseIncompleteCopy(store: Pick<Store, 'readSources' | 'readPositions'>): Promise<void> {
  for (const marker of (await store.readSources()).filter(isCopyMarker)) {
    if ((await store.readPositions(marker)).has(copyPartitions.complete)) continue;
    throw new PersistenceError(
      'COPY_INCOMPLETE',
      `the store is an unfinished copy of ${copiedName(marker)}: give the same import or export again, it goes on`,
    );
  }
}
