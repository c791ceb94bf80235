import { createBeside } from '../../level/create-database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import { adoptAll } from './adopt.ts';
import { writeStanding } from './identity.ts';
import { checkNames } from './name-probe.ts';
import type { Places } from './places.ts';
import { flush, openRecords } from './records-database.ts';
import { checkLayout, writeLayoutRecord } from './upstream-layout.ts';

/**
 * Makes the directories and records of a store that are not there yet; whatever macp-runtime wrote there is adopted.
 * Interrupted, it is done again. Throws `NOT_SUPPORTED`, `STORE_TOO_NEW`, `STORE_CORRUPT`.
 */
export async function createRecords(files: SharedFileSystem, places: Places, newId: () => string): Promise<void> {
  await files.makeDirectory(places.directory);
  const isNew = (await files.status(places.records)) === undefined;
  if (isNew) await checkLayout(files, places);
  await files.makeDirectory(places.own);
  await files.makeDirectory(places.journal);
  if (!isNew) return;
  await checkNames(files, places.own);
  await createBeside(places.records, `${places.records}.new`, async (draft) => {
    await files.makeShared(places.sessions);
    await writeLayoutRecord(files, places);
    await files.syncDirectory(places.directory);
    const database = await openRecords(draft);
    try {
      const totals = await adoptAll({ files, places }, database);
      const batch = new ReusedBatch(database);
      writeStanding(batch, newId(), totals);
      await batch.write();
      await flush(database);
    } finally {
      await database.close();
    }
  });
}
