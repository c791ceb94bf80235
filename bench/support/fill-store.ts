import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { entryPool, sessionIds } from './entries.ts';
import { openStore } from './pipeline.ts';

const entriesOfSession = 500;
const sessionsOfCommit = 8;

/** Makes a level store of `count` entries, 500 a session, session by session: that takes LevelDB the least work. */
export async function fillStore(directory: string, count: number): Promise<void> {
  await using store = await openStore(directory);
  const entries = entryPool(4096);
  const builder = new PlanBuilder();
  const ids = [...sessionIds(Math.ceil(count / entriesOfSession))].sort();
  let made = 0;
  for (let at = 0; at < ids.length; at += sessionsOfCommit) {
    for (const session of ids.slice(at, at + sessionsOfCommit)) {
      const end = Math.min(count, made + entriesOfSession);
      const log: Uint8Array[] = [];
      for (; made < end; made += 1) log.push(entries[made % entries.length] ?? new Uint8Array());
      builder.append(session, ...log);
    }
    await store.commit(builder.build());
  }
}
