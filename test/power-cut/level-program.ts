import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ClassicLevel } from 'classic-level';

/**
 * The smallest program that needs its syncs: commits numbered batches of two keys to a LevelDB and says so.
 * Arguments: directory, control file, number of batches, `sync` or `no-sync`, `aside` or `in place`: how the database
 * is created.
 */
const [directory = '', control = '', batches = '', mode = '', creation = ''] = process.argv.slice(2);
const says = openSync(control, 'w');
if (creation === 'aside' && !existsSync(directory)) await createAside();
const database = new ClassicLevel<string, Uint8Array>(directory, { valueEncoding: 'view', writeBufferSize: 65_536 });
await database.open();
for (let number = 0; number < Number(batches); number += 1) {
  const value = Buffer.alloc(700, `${number} `);
  const batch = database.batch();
  batch.put(`a${number}`, value).put(`b${number}`, value);
  await batch.write({ sync: mode === 'sync' });
  writeSync(says, `mark ${number}`);
}
await database.close();

async function createAside(): Promise<void> {
  const draft = new ClassicLevel(`${directory}.new`);
  await draft.open();
  await draft.close();
  syncDirectory(`${directory}.new`);
  renameSync(`${directory}.new`, directory);
  syncDirectory(dirname(directory));
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
