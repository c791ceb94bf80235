import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { writePointer } from '../../src/compose/store-pointer.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';

/** Switches a place from store to store, and marks how many switches were made. Arguments: directory, control file. */
const [directory = '', control = ''] = process.argv.slice(2);
const says = openSync(control, 'w');
const data = join(directory, 'data');
const place = join(data, 'level');
await nodeFileSystem.makeDirectory(data);
let previous = place;
for (const [index, name] of ['green', 'blue', 'green', 'level'].entries()) {
  const next = join(data, name);
  await writePointer(place, { directory: next, previous });
  writeSync(says, `mark ${index + 1}`);
  previous = next;
}
