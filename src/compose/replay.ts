import { type QueueAddress, type StoreAddress, showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { digestHex } from '../domain/digest.ts';
import { PersistenceError } from '../domain/errors.ts';
import { nodeFileSystem } from '../platform/node-file-system.ts';
import { systemClock } from '../platform/system-clock.ts';
import { refuseIncompleteCopy } from '../ports/incomplete-copy.ts';
import type { ReplaySource } from '../ports/queue.ts';
import { openNdjson } from '../queues/ndjson/ndjson-source.ts';
import type { ReplayEnd } from '../replay/bounded-replay.ts';
import { type RebuildListener, type RebuildPhase, type Rebuilt, rebuild } from '../replay/rebuild.ts';
import type { Selection } from '../replay/selection.ts';
import { StoreSource } from '../transfer/store-source.ts';
import { openExistingStore, openQueueIfExists, queueAddress } from './open.ts';
import { queueAt } from './queue-url.ts';
import { refuseLocked, storeAt } from './store-url.ts';
import { openTarget } from './transfer.ts';
import { pipelineSettings } from './worker.ts';

export type { ReplayEnd, Selection };

export interface ReplayRequest extends Pick<RebuildListener, 'onProgress' | 'onLost'> {
  readonly values: Values;
  /** The URL of a queue or a file; undefined: the configured queue. */
  readonly from: string | undefined;
  /** The URL of a store. */
  readonly to: string;
  /** The URL of a store that the target is copied from first; undefined: none. */
  readonly base: string | undefined;
  readonly until: ReplayEnd;
  /** Undefined: all sessions. */
  readonly selection: Selection | undefined;
  readonly signal: AbortSignal;
  onPhase(phase: ReplayPhase, total: number | undefined): void;
  onRemark(text: string): void;
}

/** What a replay goes through, and what is counted meanwhile. */
export type ReplayPhase = Exclude<RebuildPhase, 'replaying'> | 'replaying records' | 'replaying bytes';

/** What a replay came to. */
export interface ReplayReport extends Omit<Rebuilt, 'digest'> {
  readonly from: string;
  readonly to: string;
  /** Of the replay alone, without reading the store for its digest. */
  readonly milliseconds: number;
  /** Hexadecimal. */
  readonly digest: string;
}

/** Fills the store at `to` with what the source at `from` holds, or goes on with that. */
export async function replay(request: ReplayRequest): Promise<ReplayReport> {
  const { values, until, selection, signal, onPhase, onProgress, onLost, onRemark } = request;
  const from = request.from === undefined ? queueAddress(values) : queueAt(request.from, values);
  const to = storeAt(request.to, values);
  await using source = await openSource(from, values);
  await using base = request.base === undefined ? undefined : await openBase(storeAt(request.base, values), values);
  await using target = await openTarget(to, values);
  if (until.time !== undefined && (base !== undefined || (await target.readSources()).length > 0)) {
    onRemark('What the store or its base holds already stays in it, also from after the time of --until');
  }
  let start = systemClock.elapsed();
  let milliseconds = 0;
  const rebuilt = await rebuild({
    ...pipelineSettings(values),
    source,
    target,
    until,
    selection,
    signal,
    base,
    onPhase: (phase, total) => {
      if (phase === 'replaying') start = systemClock.elapsed();
      if (phase === 'digesting') milliseconds = systemClock.elapsed() - start;
      onPhase(phase === 'replaying' ? `replaying ${from.kind === 'ndjson' ? 'bytes' : 'records'}` : phase, total);
    },
    onProgress,
    onLost,
    onRetrying: ({ error }) => onRemark(`Trying again: ${error.message}`),
  });
  return { from: showAddress(from), to: showAddress(to), ...rebuilt, milliseconds, digest: digestHex(rebuilt.digest) };
}

async function openBase(address: StoreAddress, values: Values): Promise<StoreSource> {
  const store = await openExistingStore(address, values).catch(refuseLocked);
  const base = new StoreSource(store);
  try {
    await refuseIncompleteCopy(store);
    return base;
  } catch (error) {
    await base.close();
    throw error;
  }
}

/** Opens what commands are replayed from. Throws `INVALID_CONFIGURATION` where there is nothing. */
export async function openSource(address: QueueAddress, values: Values): Promise<ReplaySource> {
  if (address.kind === 'ndjson') return openNdjson({ file: address.file, fileSystem: nodeFileSystem });
  if (address.kind === 'archive') {
    const { openArchive } = await import('../queues/bullmq/archive/open-archive.ts');
    return openArchive({ directory: address.directory, fileSystem: nodeFileSystem });
  }
  if (address.kind === 'memory') {
    throw new PersistenceError('INVALID_CONFIGURATION', 'a queue in memory holds nothing of other processes');
  }
  const queue = await openQueueIfExists(address, values);
  if (queue !== undefined) return queue;
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `there is no queue at ${showAddress(address)}: name another with --from, --queue or --data-dir`,
  );
}
