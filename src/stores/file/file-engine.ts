import type { PersistenceError } from '../../domain/errors.ts';
import type { Engine, Opening } from '../../embedded-store/engine.ts';
import { probeRoom, removeProbe } from '../../embedded-store/room-probe.ts';
import { classifyFailure } from '../../level/failures.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';
import { adoptChanges, changedElsewhere } from './adopt-changes.ts';
import { createRecords } from './create-records.ts';
import { findChanges } from './find-changes.ts';
import { readStanding } from './identity.ts';
import { Journal } from './journal.ts';
import { checkNames } from './name-probe.ts';
import { OpenLogs } from './open-logs.ts';
import { OpenedFiles } from './opened-files.ts';
import { Places } from './places.ts';
import { findJournal } from './read-journal.ts';
import { openRecords } from './records-database.ts';
import { recover } from './recover.ts';
import { SetAside } from './set-aside.ts';

/** Everything that opening needs, so that it can be done again. */
export interface FileEngineOptions {
  readonly directory: string;
  readonly files: SharedFileSystem;
  readonly newId: () => string;
  readonly probeBytes: number;
  /** Log files that are kept open to be written. */
  readonly openLogs: number;
  /** Bytes of the journal at which a checkpoint begins. */
  readonly checkpointBytes: number;
  /** Whether to take the store as it is where macp-runtime wrote to it after us. */
  readonly adopts: boolean;
}

/** Opens a directory of macp-runtime's layout as a store, makes it where there is none. */
export class FileEngine implements Engine<OpenedFiles> {
  readonly name: string;
  /** macp-runtime's data directory may hold other things as well, backups among them. */
  readonly directories: readonly string[];
  readonly #options: FileEngineOptions;
  readonly #places: Places;

  constructor(options: FileEngineOptions) {
    this.#options = options;
    this.#places = new Places(options.directory);
    this.name = nameOf(options.directory);
    this.directories = this.#places.directories;
  }

  async open(opening: Opening): Promise<OpenedFiles> {
    const { files, newId, openLogs, checkpointBytes, adopts } = this.#options;
    const places = this.#places;
    await createRecords(files, places, newId);
    const database = await openRecords(places.records);
    const logs = new OpenLogs(files, places, openLogs);
    const place = { files, places };
    const workplace = { files, places, logs, setAside: new SetAside(files, places) };
    try {
      // Also where it was made before: it may have been copied to another file system.
      await checkNames(files, places.own);
      const standing = await readStanding(database, places.directory);
      await removeProbe(files, places.own);
      await files.removeAll(places.setAside);
      await files.makeDirectory(places.setAside);
      const journalPlace = { files, directory: places.journal };
      const found = await findJournal(journalPlace, standing.checkpoint, standing.applied);
      const recovered = await recover(workplace, database, standing, found, adopts);
      let totals = recovered.totals;
      const changed = await findChanges(place, database, recovered.changed);
      if (changed.length > 0) {
        if (!adopts) throw changedElsewhere(places.directory, changed);
        totals = await adoptChanges(place, database, totals, changed);
      }
      const journal = new Journal(journalPlace, found.next);
      return new OpenedFiles({
        workplace,
        database,
        journal,
        identity: standing.identity,
        totals,
        checkpointBytes,
        opening,
      });
    } catch (error) {
      await logs.close();
      await database.close();
      throw error;
    }
  }

  probeRoom(): Promise<void> {
    return probeRoom(this.#options.files, this.#places.own, this.#options.probeBytes);
  }

  classify(error: unknown, doing: string, directory = this.#options.directory): PersistenceError {
    return classifyFailure(error, nameOf(directory), doing);
  }
}

function nameOf(directory: string): string {
  return `the file store in ${directory}`;
}
