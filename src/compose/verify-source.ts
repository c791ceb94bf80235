import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { showAddress } from '../configuration/addresses.ts';
import { digestHex } from '../domain/digest.ts';
import { nodeFileSystem } from '../platform/node-file-system.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Store } from '../ports/store.ts';
import { openLevelStore } from '../stores/level/level-store.ts';
import { compareWithSource } from '../verify/compare-with-source.ts';
import { openExistingStore, queueAddress } from './open.ts';
import { queueAt } from './queue-url.ts';
import { openSource } from './replay.ts';
import { refuseLocked, storeAt } from './store-url.ts';
import type { VerifyReport, VerifyRequest } from './verify.ts';
import { pipelineSettings } from './worker.ts';

/**
 * Compares a store with what its source says: `sourceUrl`, or the configured queue where it is undefined. The source is
 * replayed into a store of its own in the place for temporary files, so that nothing has to be held in memory.
 */
export async function verifyWithSource(
  storeUrl: string,
  sourceUrl: string | undefined,
  request: VerifyRequest,
): Promise<VerifyReport> {
  const { values } = request;
  const at = storeAt(storeUrl, values);
  const from = sourceUrl === undefined ? queueAddress(values) : queueAt(sourceUrl, values);
  await using store = await openExistingStore(at, values).catch(refuseLocked);
  await using source = await openSource(from, values);
  await using scratch = await openScratch();
  const compared = await compareWithSource({
    ...pipelineSettings(values),
    store,
    source,
    target: scratch.store,
    signal: request.signal,
    onPhase: (_, total) => request.onPhase(from.kind === 'ndjson' ? 'replaying bytes' : 'replaying records', total),
    onComparing: () => request.onPhase('comparing', undefined),
    onProgress: (done) => request.onProgress(done),
    onRetrying: ({ error }) => request.onRemark(`Trying again: ${error.message}`),
    onDifference: (difference) => request.onDifference(difference),
  });
  const { digests, isMoving, ...counts } = compared;
  return {
    ...counts,
    first: { place: showAddress(at), sha256: isMoving ? undefined : digestHex(digests.first) },
    second: { place: showAddress(from), sha256: isMoving ? undefined : digestHex(digests.second) },
  };
}

interface Scratch extends AsyncDisposable {
  readonly store: Store;
}

/** An empty store that goes away with all that is in it. */
async function openScratch(): Promise<Scratch> {
  const parent = await mkdtemp(join(tmpdir(), 'macp-persist-verify-'));
  const remove = (): Promise<void> => rm(parent, { recursive: true, force: true });
  try {
    const directory = join(parent, 'replayed');
    const store = await openLevelStore({ directory, files: nodeFileSystem, clock: systemClock, newId: randomUUID });
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
