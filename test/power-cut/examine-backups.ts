import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { base64, readLog } from '../../src/conformance/store-contents.ts';
import { ada, source } from '../../src/conformance/store-samples.ts';
import type { Store } from '../../src/ports/store.ts';
import { type BackupPromise, entryOf } from './backup-steps.ts';
import { describeError } from './describe-error.ts';
import { openSmallStore, type SmallStoreKind, smallStorePlace } from './small-stores.ts';

/**
 * Opens the store and every backup that a crash left in `directory`, looks for anything that contradicts the promises,
 * and makes another backup, which removes what an interrupted one left. Resolves with every complaint.
 */
export async function examineBackups(
  directory: string,
  promised: BackupPromise,
  kind: SmallStoreKind,
): Promise<readonly string[]> {
  const place = smallStorePlace(directory, kind);
  const backups = join(directory, 'backups');
  const complaints: string[] = [];
  const examine = async (at: string, atLeast: number): Promise<void> => {
    await using store = await openSmallStore(at, kind);
    complaints.push(...(await stepComplaints(store, atLeast)).map((complaint) => `${at}: ${complaint}`));
  };
  try {
    for (const [index, atLeast] of promised.backups.entries()) {
      const name = `${index + 1}`;
      if (!existsSync(join(backups, name))) complaints.push(`backup ${name} was promised and is not there`);
      else await examine(join(backups, name), atLeast);
    }
    for (const name of namesIn(backups).slice(promised.backups.length)) {
      // What has its name is whole, whether or not anybody was told.
      if (!name.startsWith('unfinished-')) await examine(join(backups, name), 1);
    }
    await examine(place, promised.committed);
    await using store = await openSmallStore(place, kind);
    await store.backup(join(backups, 'afterwards'));
    await examine(join(backups, 'afterwards'), promised.committed);
    const left = namesIn(backups).filter((name) => name.startsWith('unfinished-'));
    if (left.length > 0) complaints.push(`${left} is left`);
  } catch (error) {
    complaints.push(describeError(error));
  }
  return complaints;
}

/** Everything wrong with a store that must hold a number of steps, `atLeast` so many, and nothing of the next one. */
async function stepComplaints(store: Store, atLeast: number): Promise<readonly string[]> {
  const complaints: string[] = [];
  const { deadLetters, sessions } = await store.readTotals();
  const count = deadLetters.refused;
  if (count < atLeast) complaints.push(`holds ${count} steps where ${atLeast} were promised`);
  if (sessions !== Math.min(count, 1)) complaints.push(`counts ${sessions} sessions after ${count} steps`);
  const position = (await store.readPositions(source)).get(0)?.next ?? 0;
  if (position !== count) complaints.push(`stands at ${position} after ${count} steps`);
  const filed = await store.readFiled(undefined, { limit: 1000 });
  if (filed.length !== count) complaints.push(`has ${filed.length} dead letters after ${count} steps`);
  await using view = await store.openSession(ada);
  const log = view === undefined ? [] : (await readLog(view)).map(base64);
  const isWhole = log.length === count && log.every((entry, number) => entry === base64(entryOf(number)));
  if (!isWhole) complaints.push(`has another log of ${log.length} entries after ${count} steps`);
  return complaints;
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
