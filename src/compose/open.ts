import { join, resolve } from 'node:path';
import {
  type QueueAddress,
  type QueueReference,
  type StoreAddress,
  type StoreReference,
  showAddress,
} from '../configuration/addresses.ts';
import type { Values } from '../configuration/settings.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { LeaseOffice } from '../ports/lease.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { LeaseRequest, QueueAdapter, QueueLog, StoreAdapter } from './adapter.ts';
import { queueAdapters, storeAdapters } from './adapters.ts';
import { pointedDirectory } from './store-pointer.ts';

/** For commands: what fails is told by its error. */
const silent: QueueLog = () => undefined;

/** Opens the store at an address, creating one that does not exist. It belongs to the caller. */
export async function openStore(address: StoreAddress, values: Values): Promise<Store> {
  const adapter: StoreAdapter<StoreAddress> | undefined = storeAdapters[address.kind];
  if (adapter === undefined) throw notBuilt('store', address.kind);
  return adapter.open(address, values);
}

/** Whether there is a store at an address. */
export async function storeExists(address: StoreAddress, values: Values): Promise<boolean> {
  const adapter: StoreAdapter<StoreAddress> | undefined = storeAdapters[address.kind];
  if (adapter === undefined) throw notBuilt('store', address.kind);
  return adapter.exists(address, values);
}

/** A lease among the processes that share the store at an address; undefined where it belongs to one process. */
export async function openStoreLease(
  address: StoreAddress,
  values: Values,
  lease: LeaseRequest,
): Promise<LeaseOffice | undefined> {
  const adapter: StoreAdapter<StoreAddress> | undefined = storeAdapters[address.kind];
  return await adapter?.openLease?.(address, values, lease);
}

/** Opens the store at an address in order to read it. Throws `INVALID_CONFIGURATION` when there is none. */
export async function openExistingStore(address: StoreAddress, values: Values): Promise<Store> {
  if (await storeExists(address, values)) return openStore(address, values);
  throw new PersistenceError(
    'INVALID_CONFIGURATION',
    `there is no store at ${showAddress(address)}: name another with --store or --data-dir, or let a worker persist something first`,
  );
}

/** Opens the queue at an address, creating an embedded one that does not exist. It belongs to the caller. */
export async function openQueue(address: QueueAddress, values: Values, log: QueueLog = silent): Promise<Queue> {
  return adapterOf(address).open(address, values, log);
}

/** Opens the queue at an address, or resolves with undefined where an embedded one does not exist. */
export async function openQueueIfExists(address: QueueAddress, values: Values): Promise<Queue | undefined> {
  const adapter = adapterOf(address);
  return (await adapter.exists(address, values)) ? adapter.open(address, values, silent) : undefined;
}

/** True when nobody else can consume the queue at `address` while this process has it open. */
export function isExclusive(address: QueueAddress): boolean {
  return adapterOf(address).exclusive;
}

/**
 * Where the configured store lies, by the {@link pointedDirectory pointer} beside its directory where there is one.
 * Relative directories start at the current one.
 */
export function storeAddress(values: Pick<Values, 'store' | 'dataDir'>): StoreAddress {
  const place = storePlace(values);
  return 'directory' in place ? { ...place, directory: pointedDirectory(place.directory) } : place;
}

/** The place that the settings name for the store, wherever it was switched to. */
export function storePlace({ store, dataDir }: Pick<Values, 'store' | 'dataDir'>): StoreAddress {
  const address = 'named' in store ? namedStore(store.kind, dataDir) : store;
  return 'directory' in address ? { ...address, directory: resolve(address.directory) } : address;
}

/** Where the configured queue lies. Relative directories start at the current one. */
export function queueAddress({ queue, dataDir }: Pick<Values, 'queue' | 'dataDir'>): QueueAddress {
  const address = 'named' in queue ? namedQueue(queue.kind, dataDir) : queue;
  return 'directory' in address ? { ...address, directory: resolve(address.directory) } : address;
}

/** Where backups are made. A relative directory starts at the current one. */
export function backupDirectory(values: Pick<Values, 'service.backupDirectory' | 'dataDir'>): string {
  return resolve(values['service.backupDirectory'] ?? join(values.dataDir, 'backups'));
}

/** Where macp-runtime looks for Redis when nothing else is said. */
const localRedis = {
  tls: false,
  host: '127.0.0.1',
  port: 6379,
  database: 0,
  username: undefined,
  password: undefined,
  prefix: 'macp',
} as const;

function namedStore(kind: StoreReference['kind'], dataDir: string): StoreAddress {
  if (kind === 'memory') return { kind };
  if (kind === 'level' || kind === 'rocksdb') return { kind, directory: join(dataDir, kind) };
  // As macp-runtime does: what lies beside its sessions it does not look at.
  if (kind === 'file') return { kind, directory: dataDir };
  if (kind === 'redis') return { kind, ...localRedis };
  throw notBuilt('store', kind);
}

function namedQueue(kind: QueueReference['kind'], dataDir: string): QueueAddress {
  if (kind === 'memory') return { kind };
  if (kind === 'embedded') return { kind, directory: join(dataDir, 'queue') };
  if (kind === 'bullmq') return { kind, ...localRedis };
  throw notBuilt('queue', kind);
}

function adapterOf(address: QueueAddress): QueueAdapter<QueueAddress> {
  const adapter: QueueAdapter<QueueAddress> | undefined = queueAdapters[address.kind];
  if (adapter === undefined) throw notBuilt('queue', address.kind);
  return adapter;
}

function notBuilt(what: 'store' | 'queue', kind: string): PersistenceError {
  return new PersistenceError('INVALID_CONFIGURATION', `${what} kind ${kind} is not part of this build`);
}
