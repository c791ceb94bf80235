import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Owned } from './owned.ts';

/** Where the process that owns a data directory can be reached, the token that it accepts, and what it has open. */
export interface ServiceAddress extends Owned {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const fileName = 'service.json';

/** A token that nobody can guess. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Leaves the address in the data directory, readable by its owner only. */
export async function writeServiceAddress(dataDir: string, address: ServiceAddress): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const draft = join(dataDir, `.${fileName}.${address.pid}`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(`${JSON.stringify(address)}\n`);
  } finally {
    await file.close();
  }
  await rename(draft, join(dataDir, fileName));
}

/** The address that lies in the data directory; it may be of a process that has ended without taking it away. */
export async function readServiceAddress(dataDir: string): Promise<ServiceAddress | undefined> {
  try {
    const { url, token, pid, store, queue } = JSON.parse(await readFile(join(dataDir, fileName), 'utf8'));
    if (typeof url === 'string' && typeof token === 'string' && Number.isSafeInteger(pid)) {
      return { url, token, pid, store, queue };
    }
  } catch {
    // Absent, of another user or torn: nobody can be reached through it.
  }
  return undefined;
}

/** Takes the address away again, unless another process has left its own there. */
export async function removeServiceAddress(dataDir: string, { token }: ServiceAddress): Promise<void> {
  if ((await readServiceAddress(dataDir))?.token === token) await rm(join(dataDir, fileName), { force: true });
}
