import { PersistenceError } from '../../domain/errors.ts';
import type { SharedFileSystem } from '../../ports/file-system.ts';

const blockBytes = 256 * 1024;
/** No entry is as long: a command has at most 16 MiB of data. */
const longestLine = 64 * 1024 * 1024;
const lineFeed = 0x0a;

/** A line of a file. */
export interface Line {
  readonly number: number;
  /** Without its line feed. */
  readonly bytes: Buffer;
  /** False for what stands behind the last line feed. */
  readonly ended: boolean;
}

/** The lines of the file at `path`; none when there is no such file. Throws `STORE_CORRUPT` for one above 64 MiB. */
export async function* readLines(files: SharedFileSystem, path: string): AsyncGenerator<Line> {
  if ((await files.status(path)) === undefined) return;
  await using file = await files.open(path, 'read');
  let rest = Buffer.alloc(0);
  let number = 1;
  for (let at = 0; ; ) {
    const block = Buffer.allocUnsafe(blockBytes);
    const read = await file.read(block, at);
    at += read;
    const bytes = rest.length === 0 ? block.subarray(0, read) : Buffer.concat([rest, block.subarray(0, read)]);
    let from = 0;
    for (let to = bytes.indexOf(lineFeed); to >= 0; to = bytes.indexOf(lineFeed, from)) {
      yield { number, bytes: bytes.subarray(from, to), ended: true };
      number += 1;
      from = to + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > longestLine)
      throw new PersistenceError('STORE_CORRUPT', `${path}, line ${number}: it never ends`);
    if (read < block.length) break;
  }
  if (rest.length > 0) yield { number, bytes: rest, ended: false };
}
