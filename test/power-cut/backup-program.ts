import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type BackupPromise, openSmallStore, steps, stepsAtOnce } from './backup-steps.ts';

/**
 * Commits numbered plans and makes two backups meanwhile, and marks what it was promised. Arguments: directory, control
 * file.
 */
const [directory = '', control = ''] = process.argv.slice(2);
const says = openSync(control, 'w');
await using store = await openSmallStore(join(directory, 'level'));
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
