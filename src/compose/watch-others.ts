import { showAddress } from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import { RemoteWatch } from '../http-client/remote-watch.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import type { Store } from '../ports/store.ts';
import { untilCaughtUp } from '../publisher/until-caught-up.ts';
import { StoreWatch } from '../read-side/store-watch.ts';
import { openExistingStore, storeAddress } from './open.ts';
import { connectOwner, isLocked } from './owner.ts';

/** What other processes apply, as long as it is looked at. */
export interface OthersWatched extends AsyncDisposable {
  readonly watch: SessionWatch;
}

/**
 * Watches what other processes make of a queue that they consume: in the store that they share, or through the one
 * that owns it, and then once everything that the queue holds now is applied there. Throws `INVALID_CONFIGURATION`
 * where there is no store yet, or nobody who fills it.
 */
export async function watchOthers(queue: Queue, values: Values, signal: AbortSignal): Promise<OthersWatched> {
  try {
    return await watchStore(queue, await openExistingStore(storeAddress(values), values), values, signal);
  } catch (error) {
    if (!isLocked(error)) throw error;
    const { service } = await connectOwner(values, error, 'store');
    return { watch: new RemoteWatch(service), [Symbol.asyncDispose]: () => service.close() };
  }
}

async function watchStore(queue: Queue, store: Store, values: Values, signal: AbortSignal): Promise<OthersWatched> {
  const watch = new StoreWatch({ store, clock: systemClock, polls: true });
  const close = async (): Promise<void> => {
    await watch.close();
    await store.close();
  };
  try {
    if (!store.capabilities.shared) {
      throw new PersistenceError(
        'INVALID_CONFIGURATION',
        `nobody fills ${showAddress(storeAddress(values))} at present, and it belongs to whoever does: start a worker first`,
      );
    }
    // What the queue holds may open or claim sessions: a claim made before that is applied would come too late.
    await untilCaughtUp(queue, store, systemClock, signal);
    return { watch, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
