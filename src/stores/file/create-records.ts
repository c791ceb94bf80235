import { PersistenceError } from '../../domain/errors.ts';
import { emptyTotals } from '../../domain/totals.ts';
import { createBeside } from '../../level/create-database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import { writeStanding } from './identity.ts';
import type { Places } from './places.ts';
import { flush, openRecords } from './records-database.ts';

/** What macp-runtime 0.4.0 and 0.13.0 write there. */
const layoutRecord = Buffer.from('{\n  "version": 3\n}', 'utf8');

/** Makes the directories and records of a store that are not there yet. Interrupted, it is done again. */
export async function createRecords(files: SharedFileSystem, places: Places, newId: () => string): Promise<void> {
  await files.makeDirectory(places.directory);
  await files.makeDirectory(places.own);
  await files.makeDirectory(places.journal);
  await files.removeAll(places.setAside);
  await files.makeDirectory(places.setAside);
  if ((await files.status(places.records)) !== undefined) return;
  if ((await files.status(places.sessions)) !== undefined && (await files.list(places.sessions)).length > 0) {
    throw new PersistenceError('NOT_SUPPORTED', `${places.sessions} holds sessions that macp-runtime wrote`);
  }
  await createBeside(places.records, `${places.records}.new`, async (draft) => {
    await files.makeShared(places.sessions);
    await writeLayoutRecord(files, places);
    await files.syncDirectory(places.directory);
    const database = await openRecords(draft);
    try {
      const batch = new ReusedBatch(database);
      writeStanding(batch, newId(), emptyTotals());
      await batch.write();
      await flush(database);
    } finally {
      await database.close();
    }
  });
}

/** Writes what says to macp-runtime that this is its layout. */
export async function writeLayoutRecord(files: SharedFileSystem, { layout }: Places): Promise<void> {
  await using file = await files.openShared(layout, 'create');
  await file.write(layoutRecord, 0);
  await file.datasync();
}
