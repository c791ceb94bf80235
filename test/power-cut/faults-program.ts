import { mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isPersistenceError } from '../../src/domain/errors.ts';
import { readLines } from '../crash/history.ts';
import { describeError } from './describe-error.ts';
import { examine, nothingPromised, type Promised } from './examine.ts';
import type { FaultReport } from './fault-report.ts';
import { type MainPath, openMainPath } from './main-path.ts';
import { smallStoreKind } from './small-stores.ts';
import { workThrough } from './work-through.ts';

const patience = 60_000;

/**
 * Works a recorded stream through a fresh data directory again and again, each time with another fault of the disk,
 * then without one examines what is there. Prints a report a line. Arguments: the directory under the shim, control
 * file, NDJSON file, number of lines, a JSON file with the faults in the shim's own form, kind of store.
 */
const [root = '', control = '', file = '', count = '', faultsFile = '', kindName = ''] = process.argv.slice(2);
const kind = smallStoreKind(kindName);
const says = openSync(control, 'w+');
const lines = readLines(file).slice(0, Number(count));
const faults: readonly string[] = JSON.parse(readFileSync(faultsFile, 'utf8'));
for (const [index, fault] of faults.entries()) {
  const directory = join(root, String(index));
  mkdirSync(directory);
  const report = await Promise.race([tried(directory, fault), hangs(fault)]);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (report.outcome === 'hangs') process.exit(1);
  rmSync(directory, { recursive: true });
}

async function tried(directory: string, fault: string): Promise<FaultReport> {
  let promised = nothingPromised;
  writeSync(says, 'reset');
  writeSync(says, `fail ${fault}`);
  const outcome = await worked(directory, (now) => {
    promised = now;
  });
  writeSync(says, 'count');
  const effects = Number(readFileSync(control, 'utf8'));
  writeSync(says, 'clear');
  return { fault, outcome, effects, complaints: await examine(directory, lines, promised, kind) };
}

async function worked(directory: string, promise: (promised: Promised) => void): Promise<string> {
  try {
    await using path = await openedWhenThereIsRoom(directory);
    await workThrough(path, lines, promise);
    return 'finished';
  } catch (error) {
    return describeError(error);
  }
}

async function openedWhenThereIsRoom(directory: string): Promise<MainPath> {
  for (;;) {
    try {
      return await openMainPath(directory, kind);
    } catch (error) {
      if (!isPersistenceError(error, 'DISK_FULL')) throw error;
      await wait(1);
    }
  }
}

async function hangs(fault: string): Promise<FaultReport> {
  await wait(patience, undefined, { ref: false });
  return { fault, outcome: 'hangs', effects: 0, complaints: ['it neither finished nor failed'] };
}
