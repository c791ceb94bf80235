import { openSync, writeSync } from 'node:fs';
import { readLines } from '../crash/history.ts';
import { commandsOf, openMainPath } from './main-path.ts';
import { publishInOrder } from './publish-in-order.ts';

/**
 * Publishes the first commands of a recorded stream and persists them meanwhile, in the data directory given, and
 * marks how many publishes are acknowledged. Arguments: directory, control file, NDJSON file, number of commands.
 */
const [directory = '', control = '', file = '', count = ''] = process.argv.slice(2);
const says = openSync(control, 'w');
const commands = commandsOf(readLines(file).slice(0, Number(count)));
await using path = await openMainPath(directory);
const pipeline = path.newPipeline();
const work = pipeline.run();
await publishInOrder(path.queue, commands, (acknowledged) => writeSync(says, `mark ${acknowledged}`));
await pipeline.stop();
await work;
await path.newPipeline().runUntilCaughtUp();
