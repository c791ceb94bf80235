import { decodeTotals } from '../../domain/encoding/totals.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import { totalsKey } from '../../embedded-store/record-keys.ts';
import type { Database } from '../../level/database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import { applyEffects, type Workplace } from './apply-effects.ts';
import { applyRecords } from './apply-records.ts';
import { Dirty } from './dirty.ts';
import { type Standing, writeCheckpoint } from './identity.ts';
import { type FoundJournal, readFrame, settleLastFrame } from './read-journal.ts';
import { flush } from './records-database.ts';

/**
 * Does again what the journal holds, in order, makes it durable, and empties the journal. Interrupted, it is done again
 * from the beginning. Resolves with the totals afterwards.
 */
export async function recover(
  workplace: Workplace,
  database: Database,
  standing: Standing,
  found: FoundJournal,
): Promise<StoreTotals> {
  const { files, places } = workplace;
  const place = { files, directory: places.journal };
  if (found.frames.length > 0) {
    await settleLastFrame(place, found);
    const dirty = new Dirty();
    const batch = new ReusedBatch(database);
    for (const frame of found.frames) {
      const effects = await readFrame(place, frame);
      await applyEffects(workplace, effects.files, dirty);
      await applyRecords(database, batch, effects.records, frame.sequence);
    }
    await dirty.sync(files, places);
    writeCheckpoint(batch, found.next);
    await batch.write({ sync: false });
    await flush(database);
  }
  for (const name of await files.list(places.journal)) await files.removeAll(`${places.journal}/${name}`);
  if (found.frames.length === 0) return standing.totals;
  const totals = await database.get(totalsKey);
  return totals === undefined ? standing.totals : decodeTotals(totals);
}
