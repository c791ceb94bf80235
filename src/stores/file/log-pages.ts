import { crc32 } from 'node:zlib';
import { PersistenceError } from '../../domain/errors.ts';
import type { OpenFile } from '../../ports/file-system.ts';
import { type LogChunk, sizeOf } from './log-index.ts';

const pageEntries = 1_024;
const pageBytes = 256 * 1024;
const lineFeed = 0x0a;

/** Chunks that follow one another in the file, few enough to be read at once. */
export type LogPage = readonly LogChunk[];

/** Puts chunks together into pages. */
export async function* logPages(chunks: AsyncIterable<LogChunk>): AsyncGenerator<LogPage> {
  let page: LogChunk[] = [];
  let entries = 0;
  let bytes = 0;
  for await (const chunk of chunks) {
    const size = sizeOf(chunk);
    if (page.length > 0 && (entries + chunk.lengths.length > pageEntries || bytes + size > pageBytes)) {
      yield page;
      page = [];
      entries = 0;
      bytes = 0;
    }
    page.push(chunk);
    entries += chunk.lengths.length;
    bytes += size;
  }
  if (page.length > 0) yield page;
}

/**
 * The page's entries from ordinal `from` to before `to`, read from the log file at `path`. Throws `STORE_CORRUPT`, naming
 * file and line, when they are not what was written.
 */
export async function entriesOf(
  file: OpenFile,
  path: string,
  page: LogPage,
  from: number,
  to: number,
): Promise<readonly Uint8Array[]> {
  const start = page[0]?.offset ?? 0;
  const bytes = Buffer.allocUnsafe(page.reduce((sum, chunk) => sum + sizeOf(chunk), 0));
  const found = bytes.subarray(0, await file.read(bytes, start));
  const entries: Uint8Array[] = [];
  for (const chunk of page) {
    const at = chunk.offset - start;
    checkChunk(path, chunk, found.subarray(at, at + sizeOf(chunk)));
    let begin = at;
    for (const [index, length] of chunk.lengths.entries()) {
      const ordinal = chunk.ordinal + index;
      if (ordinal >= from && ordinal < to) entries.push(found.subarray(begin, begin + length));
      begin += length + 1;
    }
  }
  return entries;
}

/** Throws `STORE_CORRUPT` unless `bytes` are those of the chunk. */
function checkChunk(path: string, chunk: LogChunk, bytes: Buffer): void {
  if (isChunk(chunk, bytes)) return;
  throw new PersistenceError('STORE_CORRUPT', `${path}, ${whereWrong(chunk, bytes)}: it is not what was written there`);
}

/** True when `bytes` are those of the chunk. */
export function isChunk(chunk: LogChunk, bytes: Uint8Array): boolean {
  return bytes.length === sizeOf(chunk) && crc32(bytes) === chunk.checksum;
}

/** The first line that is no JSON or ends elsewhere, or all lines of the chunk when each could have been written. */
function whereWrong({ ordinal, lengths }: LogChunk, bytes: Buffer): string {
  let begin = 0;
  for (const [index, length] of lengths.entries()) {
    const end = begin + length;
    if (bytes[end] !== lineFeed || !isJson(bytes.subarray(begin, end))) return `line ${ordinal + index + 1}`;
    begin = end + 1;
  }
  return lengths.length === 1 ? `line ${ordinal + 1}` : `lines ${ordinal + 1} to ${ordinal + lengths.length}`;
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
