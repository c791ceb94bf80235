import { PersistenceError } from '../../domain/errors.ts';
import { isBlank, LineCutter } from '../../domain/lines.ts';
import type { OpenFile } from '../../ports/file-system.ts';

/** A line of a file that is not blank: its bytes without its line feed, and the offset behind that. */
export interface FoundLine {
  readonly bytes: Uint8Array;
  readonly end: number;
}

const chunkBytes = 256 * 1024;
const lineFeed = 0x0a;

/** The lines between two offsets, blank ones left out. Throws `INVALID_INPUT` for one that is too long to be read. */
export async function* readLines(file: OpenFile, from: number, to: number): AsyncGenerator<FoundLine> {
  const cutter = new LineCutter();
  let end = from;
  for (let at = from; at < to; ) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, to - at));
    const length = await file.read(chunk, at);
    if (length === 0) break;
    at += length;
    for (const bytes of cutter.cut(chunk.subarray(0, length))) {
      if (bytes === undefined) throw tooLong(end);
      end += bytes.length + 1;
      if (!isBlank(bytes)) yield { bytes, end };
    }
  }
  const rest = cutter.rest();
  if (rest === undefined) throw tooLong(end);
  if (!isBlank(rest)) yield { bytes: rest, end: end + rest.length };
}

/** The line that ends right before the offset `end`. */
export async function lineBefore(file: OpenFile, end: number): Promise<FoundLine> {
  const last = await readExactly(file, Math.max(0, end - 1), end);
  const textEnd = last[0] === lineFeed ? end - 1 : end;
  const pieces: Uint8Array[] = [];
  for (let at = textEnd; at > 0; ) {
    const start = Math.max(0, at - chunkBytes);
    const piece = await readExactly(file, start, at);
    const found = piece.lastIndexOf(lineFeed);
    pieces.unshift(piece.subarray(found + 1));
    if (found !== -1) break;
    at = start;
  }
  return { bytes: Buffer.concat(pieces), end };
}

async function readExactly(file: OpenFile, from: number, to: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(to - from);
  return bytes.subarray(0, await file.read(bytes, from));
}

function tooLong(at: number): PersistenceError {
  return new PersistenceError('INVALID_INPUT', `the line that begins at byte ${at} is too long to be an event`);
}
