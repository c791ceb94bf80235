import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { PersistenceError } from '../../domain/errors.ts';
import { createLevelDatabase } from '../../level/create-database.ts';
import { isDiskFull } from '../../segments/disk-full.ts';
import type { Ledger, OpenLedger, QueueIdentity } from './ledger.ts';

const identityKey = 'identity';
const acknowledgedKey = 'acknowledged';

/**
 * The ledger as a small classic-level database in `meta/`. LevelDB's own lock file is the queue's lock: the kernel
 * releases it when the process ends, however it ends.
 */
class LevelLedger implements Ledger {
  readonly #database: ClassicLevel<string, unknown>;

  constructor(database: ClassicLevel<string, unknown>) {
    this.#database = database;
  }

  async readIdentity(): Promise<QueueIdentity | undefined> {
    return (await this.#database.get(identityKey)) as QueueIdentity | undefined;
  }

  saveIdentity(identity: QueueIdentity): Promise<void> {
    return this.#database.put(identityKey, identity, { sync: true });
  }

  async readAcknowledged(): Promise<readonly number[] | undefined> {
    return (await this.#database.get(acknowledgedKey)) as readonly number[] | undefined;
  }

  saveAcknowledged(next: readonly number[], durable: boolean): Promise<void> {
    return this.#database.put(acknowledgedKey, next, { sync: durable });
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

export const openLevelLedger: OpenLedger = async (directory) => {
  const place = join(directory, 'meta');
  try {
    await createLevelDatabase(place);
    const database = new ClassicLevel<string, unknown>(place, { valueEncoding: 'json' });
    await database.open();
    return new LevelLedger(database);
  } catch (error) {
    if (isLocked(error)) {
      throw new PersistenceError(
        'QUEUE_LOCKED',
        `the queue in ${directory} is in use by another process (or opened twice in this one): stop that first`,
        { cause: error },
      );
    }
    throw new PersistenceError(
      isDiskFull(error) ? 'DISK_FULL' : 'QUEUE_IO_FAILED',
      `the database in ${place} does not open`,
      {
        cause: error,
      },
    );
  }
};

function isLocked(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && at.code === 'LEVEL_LOCKED') return true;
  }
  return false;
}
