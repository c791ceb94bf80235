import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type BackupPromise, steps, stepsAtOnce } from './backup-steps.ts';
import { openSmallStore, smallStoreKind, smallStorePlace } from './small-stores.ts';

/**
 * Commits numbered plans and makes two backups meanwhile, and marks what it was promised. Arguments: directory, control
 * file, kind of store.
 */
const [directory = '', control = '', kindName = ''] = process.argv.slice(2);
const says = openSync(control, 'w');
const kind = smallStoreKind(kindName);
await using store = await openSmallStore(smallStorePlace(directory, kind), kind);
const plans = steps();
let promised: BackupPromise = { committed: 0, backups: [] };

function promise(more: Partial<BackupPromise>): void {
  promised = { ...promised, ...more };
  writeSync(says, `mark ${JSON.stringify(promised)}`);
}

async function commitSteps(): Promise<void> {
  for (let left = stepsAtOnce; left > 0; left -= 1) {
    const { value: plan } = plans.next();
    await store.commit(plan);
    promise({ committed: promised.committed + 1 });
  }
}

for (const name of ['1', '2']) {
  await commitSteps();
  const { committed } = promised;
  const backup = store.backup(join(directory, 'backups', name));
  await commitSteps();
  await backup;
  promise({ backups: [...promised.backups, committed] });
}
