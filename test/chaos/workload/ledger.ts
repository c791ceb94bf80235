import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import type { Acknowledged } from '../checker/model.ts';

/** Writes down acknowledgements, in one file that outlives the process however it ends. */
export class LedgerWriter {
  readonly #file: number;
  readonly #onWritten: (count: number) => void;
  #lines: string[] = [];

  /** `onWritten` is called once so many more are written down. */
  constructor(path: string, onWritten: (count: number) => void) {
    this.#file = openSync(path, 'a');
    this.#onWritten = onWritten;
  }

  note({ data, ...rest }: Omit<Acknowledged, 'digest'> & { readonly data: string }): void {
    const acknowledged: Acknowledged = { ...rest, digest: createHash('sha256').update(data).digest('hex') };
    this.#lines.push(`${JSON.stringify(acknowledged)}\n`);
    // What is acknowledged in one turn is written at once.
    if (this.#lines.length === 1) setImmediate(() => this.#write());
  }

  #write(): void {
    const lines = this.#lines;
    this.#lines = [];
    writeSync(this.#file, lines.join(''));
    this.#onWritten(lines.length);
  }
}

/** Reads a ledger while it grows. */
export class LedgerReader {
  readonly #path: string;
  #at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The acknowledgements that were written since the last call. */
  next(): readonly Acknowledged[] {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= this.#at) return [];
    const file = openSync(this.#path, 'r');
    try {
      const bytes = Buffer.alloc(size - this.#at);
      const length = readSync(file, bytes, 0, bytes.length, this.#at);
      // The last line may still be on its way.
      const end = bytes.subarray(0, length).lastIndexOf('\n') + 1;
      this.#at += end;
      return linesOf(bytes.toString('utf8', 0, end));
    } finally {
      closeSync(file);
    }
  }
}

/** All acknowledgements of a ledger; a last line that a kill cut short is none. */
export function readLedger(path: string): readonly Acknowledged[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return linesOf(text.slice(0, text.lastIndexOf('\n') + 1));
}

function linesOf(text: string): readonly Acknowledged[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line): Acknowledged => JSON.parse(line));
}
