import { relative, sep } from 'node:path';
import { type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import type { NumberedCommand } from '../domain/command.ts';
import { digestHex } from '../domain/digest.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { CopySource } from '../ports/copy-source.ts';
import { refuseIncompleteCopy } from '../ports/incomplete-copy.ts';
import type { Store } from '../ports/store.ts';
import type { CopyPhase } from '../transfer/copy-options.ts';
import { type CopyReport, copyStore } from '../transfer/copy-store.ts';
import { allCommands, checkCommands, groupedCommands } from '../transfer/session-commands.ts';
import { StoreSource } from '../transfer/store-source.ts';
import type { StoreAdapter } from './adapter.ts';
import { storeAdapters, upstreamAdapters } from './adapters.ts';
import { openExistingStore, openStore, storeAddress } from './open.ts';
import { type Published, publishCommands, type SendRequest } from './publishing.ts';
import { refuseLocked, storeAt, storeProblem } from './store-url.ts';
import { refuseUnnumbered } from './unnumbered.ts';
import { isUpstreams, openUpstream } from './upstream.ts';
import { refuseWeakStore } from './worker.ts';

/** What a transfer goes through, one after another. */
export type TransferPhase = CopyPhase | 'checking' | 'publishing';

/** Told what is under way. */
export interface TransferListener {
  /** A phase begins; `total`: about how many sessions, or exactly how many commands, there are. */
  onPhase(phase: TransferPhase, total: number): void;
  onProgress(done: number): void;
  onRemark(text: string): void;
}

export interface TransferRequest extends TransferListener {
  readonly values: Values;
  /** The URL of a store; `storeUrlProblem` has found nothing wrong with it. */
  readonly url: string;
  readonly signal: AbortSignal;
}

/** A copy from one store into another. */
export interface TransferReport extends Omit<CopyReport, 'digest'> {
  readonly from: string;
  readonly to: string;
  /** Hexadecimal. */
  readonly digest: string;
}

/** Copies the configured store into the one at `url`. */
export async function exportStore(request: TransferRequest): Promise<TransferReport> {
  const { values, url } = request;
  const [from, to] = [storeAddress(values), storeAt(url, values)];
  refuseWithin(from, to);
  const store = await openExistingStore(from, values).catch(refuseLocked);
  await using source = new StoreSource(store);
  await refuseIncompleteCopy(store);
  return await copyInto(to, source, { ...request, from });
}

/** Copies what macp-runtime wrote at `url` into the store at `to`. */
export async function importInto(request: TransferRequest & { readonly to: string }): Promise<TransferReport> {
  const { values, onRemark } = request;
  const [from, to] = [upstreamAddress(request.url, values), storeAt(request.to, values)];
  refuseWithin(from, to);
  await using source = await openUpstream(from, values, onRemark);
  return await copyInto(to, source, { ...request, from });
}

/** Publishes the commands that make what macp-runtime wrote at `url`, once all of it was checked. */
export async function importCommands(
  request: TransferRequest & Pick<SendRequest, 'logger' | 'onFull' | 'onPublished'>,
): Promise<Published> {
  await using source = await openChecked(request);
  await refuseUnnumbered({ ...request, source });
  return await publishCommands(request, groupedCommands(source));
}

/** The commands that make what macp-runtime wrote at `url`, once all of it was checked. */
export async function* readCommands(request: TransferRequest): AsyncGenerator<NumberedCommand> {
  await using source = await openChecked(request);
  let commands = 0;
  for await (const command of allCommands(source)) {
    if (request.signal.aborted) throw new PersistenceError('ABORTED', `interrupted after ${commands} commands`);
    yield command;
    commands += 1;
    request.onProgress(commands);
  }
}

async function openChecked(request: TransferRequest): Promise<CopySource> {
  const { values, url, signal, onPhase, onProgress, onRemark } = request;
  const source = await openUpstream(upstreamAddress(url, values), values, onRemark);
  try {
    onPhase('checking', await source.count());
    onPhase('publishing', await checkCommands(source, { signal, onChecked: onProgress }));
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

interface CopyRequest extends TransferListener, Pick<TransferRequest, 'values' | 'signal'> {
  readonly from: StoreAddress;
}

async function copyInto(to: StoreAddress, source: CopySource, request: CopyRequest): Promise<TransferReport> {
  const { from, values, signal, onPhase, onProgress } = request;
  await using target = await openTarget(to, values);
  const sessions = await source.count();
  let phase: CopyPhase | undefined;
  const report = await copyStore(source, {
    target,
    signal,
    onProgress: (now, done) => {
      if (now !== phase) onPhase(now, sessions);
      phase = now;
      onProgress(done);
    },
  });
  return { from: showAddress(from), to: showAddress(to), ...report, digest: digestHex(report.digest) };
}

/** Opens the store to be filled at an address, making one where there is none. */
export async function openTarget(address: StoreAddress, values: Values): Promise<Store> {
  if (address.kind === 'memory') {
    throw new PersistenceError('INVALID_CONFIGURATION', 'a store in memory would be lost with this process');
  }
  if (await isUpstreams(address, values)) {
    throw new PersistenceError(
      'TARGET_NOT_EMPTY',
      `macp-runtime has written at ${showAddress(address)}: name a store that is empty`,
    );
  }
  const target = await openStore(address, values);
  await refuseWeakStore(target, values);
  return target;
}

/** Throws `INVALID_CONFIGURATION` on what is no URL of a kind of store that macp-runtime writes. */
function upstreamAddress(url: string, values: Values): StoreAddress {
  const problem = storeProblem(url, Object.keys(upstreamAdapters));
  if (problem !== undefined) throw new PersistenceError('INVALID_CONFIGURATION', problem);
  return storeAt(url, values);
}

/** Throws `INVALID_CONFIGURATION` for a target that is the source, or would lie among what is the source's own. */
function refuseWithin(from: StoreAddress, to: StoreAddress): void {
  const adapter: StoreAdapter<StoreAddress> | undefined = storeAdapters[from.kind];
  const own = adapter?.directories?.(from) ?? [];
  const isWithin = 'directory' in to && own.some((directory) => liesWithin(directory, to.directory));
  if (!isWithin && showAddress(from) !== showAddress(to)) return;
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `${showAddress(from)} would be copied into itself: name a place for the copy that is not within it`,
  );
}

export function liesWithin(directory: string, path: string): boolean {
  return relative(directory, path).split(sep)[0] !== '..';
}
