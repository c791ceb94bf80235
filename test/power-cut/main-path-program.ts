import { openSync, writeSync } from 'node:fs';
import { readLines } from '../crash/history.ts';
import { openMainPath } from './main-path.ts';
import { smallStoreKind } from './small-stores.ts';
import { workThrough } from './work-through.ts';

/**
 * Works a recorded stream through the data directory, from wherever that stands, and marks what it was promised.
 * Arguments: directory, control file, NDJSON file, number of lines, kind of store.
 */
const [directory = '', control = '', file = '', count = '', kind = ''] = process.argv.slice(2);
const says = openSync(control, 'w');
const lines = readLines(file).slice(0, Number(count));
await using path = await openMainPath(directory, smallStoreKind(kind));
await workThrough(path, lines, (promised) => writeSync(says, `mark ${JSON.stringify(promised)}`));
