import { appendPlans } from '../store/commit-plans.ts';
import { sessionIds } from './entries.ts';
import { openStore } from './pipeline.ts';

const entriesOfSession = 500;
const entriesOfCommit = 4096;

/** Makes a level store of `count` entries, 500 a session. */
export async function fillStore(directory: string, count: number): Promise<void> {
  await using store = await openStore(directory);
  const ids = sessionIds(Math.ceil(count / entriesOfSession));
  for (const plan of appendPlans(ids, count, entriesOfCommit)) await store.commit(plan);
}
