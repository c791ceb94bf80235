import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Disk, type Image, writeImage } from './disk.ts';
import type { Survival } from './disk-file.ts';
import type { JournalRecord } from './journal.ts';

export interface CutOptions {
  /** A scratch folder; the state after a cut lies in `image` below it while it is examined. */
  readonly scratch: string;
  readonly strict: (directory: string) => boolean;
  readonly survival: (cut: number) => Survival;
  /** Which cuts to examine: by number of records before them. */
  readonly examined: (cut: number) => boolean;
  /** Complaints about a directory. `marked`: what the program last marked before the cut, empty when nothing. */
  readonly examine: (directory: string, marked: string) => Promise<readonly string[]>;
  /** What the disk holds before the first record; nothing where it is absent. */
  readonly start?: string;
}

/** How many different states were examined, and all complaints. */
export interface CutReport {
  readonly examined: number;
  readonly complaints: readonly string[];
}

/**
 * Cuts the power after every record of a journal. States that do not differ from the
 * one before, in what is on the disk and what was promised, are examined once.
 */
export async function cutEverywhere(journal: readonly JournalRecord[], options: CutOptions): Promise<CutReport> {
  const disk =
    options.start === undefined ? emptyDisk(options.scratch, options.strict) : new Disk(options.start, options.strict);
  const directory = join(options.scratch, 'image');
  const complaints: string[] = [];
  let marked = '';
  let before: { readonly image: Image; readonly marked: string } | undefined;
  let examined = 0;
  for (const [index, record] of journal.entries()) {
    disk.apply(record);
    if (record.kind === 'mark') marked = record.data.toString();
    if (!options.examined(index + 1)) continue;
    const image = disk.survivors(options.survival(index + 1));
    if (before !== undefined && before.marked === marked && isSame(image, before.image)) continue;
    before = { image, marked };
    rmSync(directory, { recursive: true, force: true });
    writeImage(image, directory);
    examined += 1;
    for (const complaint of await options.examine(directory, marked)) complaints.push(`cut ${index + 1}: ${complaint}`);
  }
  return { examined, complaints };
}

/** A disk with nothing on it. */
export function emptyDisk(scratch: string, strict: (directory: string) => boolean): Disk {
  const empty = join(scratch, 'empty');
  mkdirSync(empty, { recursive: true });
  return new Disk(empty, strict);
}

function isSame(one: Image, other: Image): boolean {
  if (one.size !== other.size) return false;
  for (const [path, data] of one) {
    const there = other.get(path);
    if (!other.has(path) || (there === undefined) !== (data === undefined)) return false;
    if (data !== undefined && there !== undefined && data !== there && !data.equals(there)) return false;
  }
  return true;
}
