import { lookup } from 'node:dns/promises';
import { PersistenceError } from '../domain/errors.ts';

/** Where a server is to listen, as it was configured. */
export interface ListeningPlace {
  /** Name or address. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** The settings that name both are `SETTINGS.host` and `SETTINGS.port`. */
  readonly settings: string;
}

/** The address that `host` stands for. Throws `INVALID_CONFIGURATION` when it stands for none. */
export async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new PersistenceError('INVALID_CONFIGURATION', `${host} is not the address of any machine`, { cause });
  }
}

/** Whether nobody but this machine reaches `address`. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** What it means that listening failed: `INVALID_CONFIGURATION` where another place would do, else what was thrown. */
export function listeningFailure(thrown: unknown, { host, port, settings }: ListeningPlace): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (typeof code !== 'string') return thrown;
  const reason = reasons[code]?.replace('SETTINGS', settings) ?? code;
  const message = `cannot listen at ${host}:${port}: ${reason}`;
  return new PersistenceError('INVALID_CONFIGURATION', message, { cause: thrown });
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there; set another SETTINGS.port',
  EACCES: 'this port is not for ordinary users; set another SETTINGS.port',
  EADDRNOTAVAIL: 'this machine does not have that address; set another SETTINGS.host',
};
