import { mkdirSync, mkdtempSync, realpathSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLines } from '../crash/history.ts';
import { examine, nothingPromised, type Promised } from './examine.ts';
import { type JournalRecord, readJournal } from './journal.ts';
import { compilePrograms } from './programs.ts';
import { Random } from './random.ts';
import { type Outcome, runProgram } from './run.ts';
import { compileShim, type ShimOptions } from './shim.ts';
import type { SmallStoreKind } from './small-stores.ts';

export const stream = fileURLToPath(new URL('../fixtures/golden/v0.4.0/commands.ndjson', import.meta.url));

/** Every cut is examined with POWER_CUT=all, a repeatable sample otherwise; POWER_CUT_SEED chooses another sample. */
const examinesAll = process.env['POWER_CUT'] === 'all';
export const seed = Number(process.env['POWER_CUT_SEED'] ?? 1);

/** True for one of `every` numbers, chosen by the seed; for all of them when all are asked for. */
export function isSampled(number: number, every: number): boolean {
  return examinesAll || new Random(seed * 7919 + number).below(every) === 0;
}

/**
 * A fresh folder, in memory where the machine offers that: what survives is computed, not left to a disk, and real
 * syncs of a thousand recoveries would only take time.
 */
export function scratchFolder(name: string): string {
  return realpathSync(mkdtempSync(join(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir(), `power-cut-${name}-`)));
}

function hasRoom(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize > 512 * 1024 * 1024;
  } catch {
    return false;
  }
}

export type RunOptions = Pick<ShimOptions, 'killAt' | 'tear' | 'fault' | 'ignoreSync'>;

export interface Run {
  readonly outcome: Outcome;
  readonly journal: readonly JournalRecord[];
}

/** Where the embedded queue keeps files of its own: there a name survives only if its directory was synced. */
export const ownDirectories = (directory: string): boolean => directory === 'queue/segments';

/** What the program marked last; nothing if it never did. */
export function promisedBy(marked: string): Promised {
  return marked === '' ? nothingPromised : JSON.parse(marked);
}

/** The mark that holds after these records. */
export function lastMark(journal: readonly JournalRecord[]): string {
  return journal.findLast((record) => record.kind === 'mark')?.data.toString() ?? '';
}

/** The compiled shim and programs, the recorded lines to work through, and a scratch folder. Remove it when done. */
export class Workshop {
  readonly scratch: string;
  readonly lines: readonly string[];
  readonly library: string;
  readonly kind: SmallStoreKind;
  readonly #programs: string;
  #runs = 0;

  constructor(library: string, programs: string, scratch: string, count: number, kind: SmallStoreKind) {
    this.library = library;
    this.#programs = programs;
    this.scratch = scratch;
    this.kind = kind;
    this.lines = readLines(stream).slice(0, count);
  }

  /** `name` keeps apart what test files that run at the same time compile. */
  static async open(name: string, count: number, kind: SmallStoreKind = 'level'): Promise<Workshop> {
    const [library, programs] = await Promise.all([compileShim(), compilePrograms(name)]);
    return new Workshop(library, programs, scratchFolder(name), count, kind);
  }

  /** A fresh directory. */
  directory(): string {
    this.#runs += 1;
    const directory = join(this.scratch, `data-${this.#runs}`);
    mkdirSync(directory);
    return directory;
  }

  /** Everything that is wrong with what a crash left in the directory, {@link examine}. */
  examine(directory: string, marked: string): Promise<readonly string[]> {
    return examine(directory, this.lines, promisedBy(marked), this.kind);
  }

  program(name: string): string {
    return join(this.#programs, 'test/power-cut', `${name}.js`);
  }

  /** Works the lines through `directory` in a process of its own under the shim. */
  async run(directory: string, options: RunOptions = {}): Promise<Run> {
    this.#runs += 1;
    const journal = join(this.scratch, `journal-${this.#runs}`);
    const control = join(this.scratch, `control-${this.#runs}`);
    const outcome = await runProgram(
      [this.program('main-path-program'), directory, control, stream, String(this.lines.length), this.kind],
      { library: this.library, options: { directory, journal, control, syncMicroseconds: 300, ...options } },
    );
    return { outcome, journal: readJournal(journal) };
  }

  remove(): void {
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
