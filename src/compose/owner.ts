import type { Values } from '../configuration/settings.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { connectService, type RemoteService } from '../http-client/remote-service.ts';
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

/** Connects to the process that owns the data directory. Throws `locked`, and what else is known, when it cannot. */
export async function connectOwner({ dataDir }: Pick<Values, 'dataDir'>, locked: PersistenceError): Promise<Owner> {
  const address = await readServiceAddress(dataDir);
  if (address === undefined) throw unreachable(locked, `no process has left its address in ${dataDir}`);
  const service = connectService({ url: address.url, token: address.token });
  try {
    await service.status();
    return { service, address };
  } catch (error) {
    await service.close();
    if (!isPersistenceError(error)) throw error;
    throw unreachable(locked, `process ${address.pid}, which left its address there, does not answer (${error.code})`);
  }
}

function unreachable(locked: PersistenceError, why: string): PersistenceError {
  return new PersistenceError(locked.code, `${locked.message}; ${why}`, { cause: locked.cause });
}
