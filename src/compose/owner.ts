import type { Values } from '../configuration/settings.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { connectService, type RemoteService } from '../http-client/remote-service.ts';
import { type Owned, owns } from './owned.ts';
import { readServiceAddress, type ServiceAddress } from './service-file.ts';

/** The service of the process that owns a data directory. */
export interface Owner {
  readonly service: RemoteService;
  readonly address: ServiceAddress;
}

/** True when `error` says that another process owns what was to be opened. */
export function isLocked(error: unknown): error is PersistenceError {
  return isPersistenceError(error, 'STORE_LOCKED') || isPersistenceError(error, 'QUEUE_LOCKED');
}

/** Milliseconds within which an owner answers. */
const patience = 10_000;

/**
 * Connects to the process that owns the data directory, and the very store or queue that is `needed`. Throws `locked`,
 * and what else is known, when it cannot: an answer out of another store would be a wrong one.
 */
export async function connectOwner(values: Values, locked: PersistenceError, needed: keyof Owned): Promise<Owner> {
  const { dataDir } = values;
  const address = await readServiceAddress(dataDir);
  if (address === undefined) throw unreachable(locked, `no process has left its address in ${dataDir}`);
  if (!owns(address, needed, values)) {
    throw unreachable(
      locked,
      `process ${address.pid}, which left its address in ${dataDir}, has another ${needed} open`,
    );
  }
  const service = connectService({ url: address.url, token: address.token });
  // A process that is stopped accepts connections and answers nothing.
  const late = setTimeout(() => void service.close(), patience);
  try {
    const { pid } = await service.status();
    if (pid === address.pid) return { service, address };
  } catch (error) {
    await service.close();
    if (!isPersistenceError(error)) throw error;
    throw unreachable(locked, `process ${address.pid}, which left its address there, does not answer (${error.code})`);
  } finally {
    clearTimeout(late);
  }
  await service.close();
  throw unreachable(locked, `process ${address.pid}, which left its address there, is gone: another one answers`);
}

function unreachable(locked: PersistenceError, why: string): PersistenceError {
  return new PersistenceError(locked.code, `${locked.message}; ${why}`, { cause: locked.cause });
}
