import { decodeTotals } from '../../domain/encoding/totals.ts';
import type { StoreTotals } from '../../domain/totals.ts';
import { totalsKey } from '../../embedded-store/record-keys.ts';
import type { Database } from '../../level/database.ts';
import { ReusedBatch } from '../../level/reused-batch.ts';
import { changedElsewhere } from './adopt-changes.ts';
import { applyEffects, type Workplace } from './apply-effects.ts';
import { applyRecords } from './apply-records.ts';
import { Dirty } from './dirty.ts';
import type { ChangedSession } from './find-changes.ts';
import { type Standing, writeCheckpoint } from './identity.ts';
import { type FoundJournal, readFrame, settleLastFrame } from './read-journal.ts';
import { flush } from './records-database.ts';
import { ReplayGuard } from './replay-guard.ts';

/** What a store is once its journal was done again. */
export interface Recovered {
  readonly totals: StoreTotals;
  /** Sessions to which somebody else wrote after a crash of ours: their files are as they were found. */
  readonly changed: readonly ChangedSession[];
}

/**
 * Does again what the journal holds, in order, makes it durable, and empties the journal. Interrupted, it is done again
 * from the beginning. Throws `STORE_CHANGED_ELSEWHERE` where somebody else wrote after a crash of ours, unless that
 * `adopts`.
 */
export async function recover(
  workplace: Workplace,
  database: Database,
  standing: Standing,
  found: FoundJournal,
  adopts: boolean,
): Promise<Recovered> {
  const { files, places } = workplace;
  let recovered: Recovered = { totals: standing.totals, changed: [] };
  if (found.frames.length > 0) recovered = await replay(workplace, database, standing, found, adopts);
  for (const name of await files.list(places.journal)) await files.removeAll(`${places.journal}/${name}`);
  return recovered;
}

async function replay(
  workplace: Workplace,
  database: Database,
  standing: Standing,
  found: FoundJournal,
  adopts: boolean,
): Promise<Recovered> {
  const { files, places } = workplace;
  const place = { files, directory: places.journal };
  await settleLastFrame(place, found);
  const guard = new ReplayGuard(workplace);
  for (const frame of found.frames) guard.expect((await readFrame(place, frame)).files, frame.sequence);
  const dirty = new Dirty();
  const batch = new ReusedBatch(database);
  for (const frame of found.frames) {
    const effects = await readFrame(place, frame);
    const admitted = await guard.admit(effects.files, frame.sequence);
    if (guard.changed.length > 0 && !adopts) throw changedElsewhere(places.directory, guard.changed);
    await applyEffects(workplace, admitted);
    dirty.note(admitted);
    await applyRecords(database, batch, effects.records, frame.sequence);
  }
  await dirty.sync(files, places);
  writeCheckpoint(batch, found.next);
  await batch.write({ sync: false });
  await flush(database);
  await files.syncDirectory(places.records);
  const totals = await database.get(totalsKey);
  return { totals: totals === undefined ? standing.totals : decodeTotals(totals), changed: guard.changed };
}
