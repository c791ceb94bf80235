import { readFileSync } from 'node:fs';

const kinds = [
  'open',
  'create',
  'write',
  'truncate',
  'fsync-begin',
  'fdatasync-begin',
  'directory-begin',
  'sync-end',
  'sync-failed',
  'rename',
  'unlink',
  'link',
  'mkdir',
  'rmdir',
  'mark',
] as const;
export type RecordKind = (typeof kinds)[number];

/** One thing that took effect under the shim, in the order in which it did. */
export interface JournalRecord {
  readonly kind: RecordKind;
  /** The number of the effect; `open` and `mark` are no effects and carry the number of the one before them. */
  readonly effect: number;
  /** Inode number where the record speaks of a file, else 0. */
  readonly file: number;
  /** `write`: where it began. `truncate`: the new length. Else 0. */
  readonly offset: number;
  /** `write`: the bytes. `mark`: the text. Else a path below the directory, or two with a line break between. */
  readonly data: Buffer;
}

/** Reads a journal that shim.c wrote. A last record that was cut short by a kill is left out. */
export function readJournal(path: string): readonly JournalRecord[] {
  const bytes = readFileSync(path);
  const records: JournalRecord[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf(10, at);
    if (end < 0) return records;
    const header = bytes.toString('latin1', at, end);
    const [kind, ...numbers] = header.split(' ');
    const [effect, file, offset, length] = numbers.map(Number);
    const known = kinds.find((name) => name === kind);
    if (
      known === undefined ||
      effect === undefined ||
      file === undefined ||
      offset === undefined ||
      length === undefined
    )
      throw new Error(`the journal holds ${JSON.stringify(header)}`);
    if (end + 1 + length + 1 > bytes.length) return records;
    records.push({ kind: known, effect, file, offset, data: bytes.subarray(end + 1, end + 1 + length) });
    at = end + 1 + length + 1;
  }
}
