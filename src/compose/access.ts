import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Queue } from '../ports/queue.ts';
import type { Service } from '../ports/service.ts';
import type { Store } from '../ports/store.ts';
import { createLocalService } from './local-service.ts';
import { isExclusive, openExistingStore, openQueue, openQueueIfExists, queueAddress, storeAddress } from './open.ts';
import { connectOwner, isLocked } from './owner.ts';
import type { ServiceAddress } from './service-file.ts';
import { Worker } from './worker.ts';

/** `read`: the store only. `status`: the queue as well, where there is one. `decide`: also to publish, and see it applied. */
export type AccessPurpose = 'read' | 'status' | 'decide';

export interface AccessRequest {
  readonly values: Values;
  readonly logger: Logger;
  readonly purpose: AccessPurpose;
}

/** A service for one command, and who provides it: this very process, or the one that owns the data directory. */
export interface Access extends AsyncDisposable {
  readonly service: Service;
  readonly owner: ServiceAddress | undefined;
}

/**
 * Opens what the settings name; where another process has it open already, works through that one. Throws
 * `STORE_LOCKED` or `QUEUE_LOCKED` when the owner cannot be reached, `INVALID_CONFIGURATION` when there is nothing to
 * be opened.
 */
export async function openAccess(request: AccessRequest): Promise<Access> {
  try {
    return await openHere(request);
  } catch (error) {
    if (!isLocked(error)) throw error;
    const { service, address } = await connectOwner(request.values, error, 'store');
    return { service, owner: address, [Symbol.asyncDispose]: () => service.close() };
  }
}

async function openHere(request: AccessRequest): Promise<Access> {
  const { values } = request;
  if (storeAddress(values).kind === 'memory') {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'a store in memory exists within one process only, so there is nothing here: name another with --store',
    );
  }
  return request.purpose === 'decide' && isExclusive(queueAddress(values)) ? openWorking(request) : openOnly(request);
}

/** The store, and the queue where that is needed, without a worker. */
async function openOnly({ values, logger, purpose }: AccessRequest): Promise<Access> {
  const queue = await openQueueFor(purpose, values);
  const store = await openExistingStore(storeAddress(values), values).catch(async (error: unknown) => {
    await queue?.close();
    throw error;
  });
  return accessOver({ values, logger, store, queue }, async () => {
    await queue?.close();
    await store.close();
  });
}

function openQueueFor(purpose: AccessPurpose, values: Values): Promise<Queue | undefined> {
  if (purpose === 'read') return Promise.resolve(undefined);
  const address = queueAddress(values);
  return purpose === 'status' ? openQueueIfExists(address, values) : openQueue(address, values);
}

/** While an exclusive queue is open here nobody else can persist what is published: this process does. */
async function openWorking({ values, logger }: AccessRequest): Promise<Access> {
  await (await openExistingStore(storeAddress(values), values)).close();
  const worker = await Worker.open({ values, logger });
  const stopping = new AbortController();
  // What makes persisting fail is told by the pipeline's log, and by the wait that it lets down.
  const work = worker.runUntil(stopping.signal).catch(() => undefined);
  return accessOver({ values, logger, store: worker.store, queue: worker.queue, worker }, async () => {
    stopping.abort();
    await work;
    await worker.close();
  });
}

interface OpenedHere {
  readonly values: Values;
  readonly logger: Logger;
  readonly store: Store;
  readonly queue: Queue | undefined;
  readonly worker?: Worker;
}

async function accessOver(
  { values, logger, store, queue, worker }: OpenedHere,
  close: () => Promise<void>,
): Promise<Access> {
  const service = await createLocalService({
    values,
    mode: 'none',
    logger,
    queue,
    store,
    pipeline: worker?.pipeline,
    readiness: () => ({ ready: false, because: 'no process runs' }),
  });
  return {
    service,
    owner: undefined,
    [Symbol.asyncDispose]: async () => {
      await service.close();
      await close();
    },
  };
}
