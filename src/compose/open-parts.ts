import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { QueueLog } from './adapter.ts';
import { isExclusive, openExistingStore, openQueue, openStore, queueAddress, storeAddress } from './open.ts';
import { Worker } from './worker.ts';

/**
 * `start`: a worker and the API, and a gateway where one is configured. `worker`: a worker, and the API for its owner
 * only. `serve`: the API over a store. `gateway`: a gateway beside workers elsewhere, and the API for its owner only.
 */
export type HostMode = 'start' | 'worker' | 'serve' | 'gateway';

/** What a host has open. */
export interface OpenedParts {
  readonly store: Store;
  readonly queue: Queue | undefined;
  readonly worker: Worker | undefined;
}

/** Opens what a host of this mode works with. What was opened is closed again when the rest cannot be. */
export async function openParts(mode: HostMode, values: Values, logger: Logger): Promise<OpenedParts> {
  switch (mode) {
    case 'start':
    case 'worker': {
      const worker = await Worker.open({ values, logger });
      return { worker, queue: worker.queue, store: worker.store };
    }
    case 'serve':
      return await openServed(values, queueLog(logger));
    case 'gateway':
      return await openBesideWorkers(values, queueLog(logger));
  }
}

async function openServed(values: Values, log: QueueLog): Promise<OpenedParts> {
  const store = await openExistingStore(storeAddress(values), values);
  const address = queueAddress(values);
  // Without a worker an exclusive queue would only fill up.
  if (isExclusive(address)) return { worker: undefined, queue: undefined, store };
  return { worker: undefined, queue: await openOrClose(store, () => openQueue(address, values, log)), store };
}

/** Throws `INVALID_CONFIGURATION` where no worker elsewhere could persist what is published, or nobody see it. */
async function openBesideWorkers(values: Values, log: QueueLog): Promise<OpenedParts> {
  const address = queueAddress(values);
  if (isExclusive(address)) throw needsStart(`a queue of kind ${address.kind}`);
  const store = await openStore(storeAddress(values), values);
  return await openOrClose(store, async () => {
    if (!store.capabilities.shared) throw needsStart(`a store of kind ${store.identity.kind}`);
    return { worker: undefined, queue: await openQueue(address, values, log), store };
  });
}

function needsStart(what: string): PersistenceError {
  return new PersistenceError(
    'INVALID_CONFIGURATION',
    `${what} belongs to one process, so that no worker could persist beside the gateway: run \`start\` with ` +
      'gateway.port, which is all in one process, or name a shared store and a shared queue',
  );
}

function queueLog(logger: Logger): QueueLog {
  return (level, message) => logger[level](message);
}

async function openOrClose<Opened>(store: Store, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    await store.close();
    throw error;
  }
}
