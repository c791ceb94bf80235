import { PersistenceError } from '../domain/errors.ts';
import type { BackupSummary } from '../ports/service.ts';
import type { Store } from '../ports/store.ts';
import { storeDocument } from './status.ts';

const backupName = /^(?!\.)[A-Za-z0-9._-]{1,100}$/;

/**
 * Copies the store, as of one moment, to `name` in `directory`. Throws `INVALID_REQUEST` for a name that is none, and
 * what {@link Store.backup} throws.
 */
export async function backUp(store: Store, directory: string, name: string): Promise<BackupSummary> {
  if (!backupName.test(name)) {
    throw new PersistenceError(
      'INVALID_REQUEST',
      `${JSON.stringify(name)} is no name for a backup: use 1 to 100 of A-Z a-z 0-9 . _ - and no dot at the start`,
    );
  }
  const target = `${directory}/${name}`;
  const { records, bytes } = await store.backup(target);
  return { directory: target, store: storeDocument(store), records, bytes };
}
