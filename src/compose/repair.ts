import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { AddressProblem, parseQueueReference } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { EventSupply } from '../repair/event-supply.ts';
import { type RepairOptions, type RepairReport, repairSessions } from '../repair/repair-sessions.ts';
import { StoreSupply } from '../repair/store-supply.ts';
import type { Supply } from '../repair/supply.ts';
import { openExistingStore } from './open.ts';
import { refuseLocked, storeAt, storeUrlProblem } from './store-url.ts';

export type { RepairReport } from '../repair/repair-sessions.ts';

/** Milliseconds to wait for what becomes of one command. */
const patience = 30_000;

export interface RepairRequest extends Omit<RepairOptions, 'timeout'> {
  readonly values: Values;
  /** `ndjson:FILE`, or the URL of a store; {@link supplyProblem} has found nothing wrong with it. */
  readonly from: string;
}

/** What is wrong with the URL of a file or store to take missing commands from, or undefined. */
export function supplyProblem(text: string): string | undefined {
  return fileOf(text) === undefined ? storeUrlProblem(text) : undefined;
}

/** Sends what blocked sessions wait for, as far as the file or store at `from` has it. */
export async function repairFrom(request: RepairRequest): Promise<RepairReport> {
  const file = fileOf(request.from);
  if (file !== undefined) return await repair(new EventSupply(await openFile(file)), request);
  await using store = await openExistingStore(storeAt(request.from, request.values), request.values).catch(
    refuseLocked,
  );
  return await repair(new StoreSupply(store), request);
}

function repair(supply: Supply, request: RepairRequest): Promise<RepairReport> {
  return repairSessions(supply, { ...request, timeout: patience });
}

async function openFile(path: string): Promise<() => AsyncIterable<Uint8Array>> {
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    throw new PersistenceError('INVALID_INPUT', `${path} cannot be read`, { cause });
  }
  return () => createReadStream(path);
}

/** The path in `ndjson:FILE`. */
function fileOf(text: string): string | undefined {
  try {
    const reference = parseQueueReference(text, ['ndjson']);
    return reference.kind === 'ndjson' ? reference.file : undefined;
  } catch (error) {
    if (error instanceof AddressProblem) return undefined;
    throw error;
  }
}
