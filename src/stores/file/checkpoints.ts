import type { Opening } from '../../embedded-store/engine.ts';
import type { Database } from '../../level/database.ts';
import type { Applier } from './applier.ts';
import type { Workplace } from './apply-effects.ts';
import { writeCheckpoint } from './identity.ts';
import type { Journal } from './journal.ts';
import { flush } from './records-database.ts';

/** As many times `checkpointBytes` the journal may have: a commit waits then. */
const mostCheckpoints = 8;

export interface CheckpointParts {
  readonly workplace: Workplace;
  readonly applier: Applier;
  readonly database: Database;
  readonly journal: Journal;
  /** Bytes of the journal at which one begins. */
  readonly checkpointBytes: number;
  readonly opening: Opening;
}

/** Makes durable where they belong, beside further commits, what the journal alone kept so far, and drops it there. */
export class Checkpoints {
  readonly #parts: CheckpointParts;
  #work: Promise<void> | undefined;
  #failed = false;

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
  }

  /** True once one failed: nothing of the journal may be dropped any more. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Waits while the journal is much larger than it should be. */
  async makeRoom(): Promise<void> {
    const { journal, checkpointBytes } = this.#parts;
    if (journal.bytes > mostCheckpoints * checkpointBytes) await this.#work;
  }

  /** Begins one when the journal has grown enough. To be called between two commits. */
  async beginIfDue(): Promise<void> {
    const { journal, checkpointBytes, opening } = this.#parts;
    // After a failed one the journal alone has what that was to make durable: another would drop it.
    if (this.#work !== undefined || this.#failed || journal.bytes < checkpointBytes) return;
    await journal.rotate();
    this.#work = this.#make(journal.next)
      .catch((error: unknown) => {
        this.#failed = true;
        void opening.turns.take(async () => opening.failed(error));
      })
      .finally(() => {
        this.#work = undefined;
      });
  }

  /** The last one, with nothing beside it. Rejects when it fails. */
  async finish(): Promise<void> {
    const { journal } = this.#parts;
    if (journal.bytes > 0) await this.#make(journal.next);
  }

  /** Resolves once none is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  /** Everything before commit `first` becomes durable, and goes from the journal. */
  async #make(first: number): Promise<void> {
    const { workplace, applier, database, journal } = this.#parts;
    const dirty = await applier.takeDirty();
    await dirty.sync(workplace.files, workplace.places);
    const batch = database.batch();
    writeCheckpoint({ put: (key, value) => batch.put(key, value), del: (key) => batch.del(key) }, first);
    await batch.write({ sync: false });
    await flush(database);
    await workplace.files.syncDirectory(workplace.places.records);
    journal.drop(first);
  }
}
