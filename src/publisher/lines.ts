/** A line of an input: its number from 1, and its bytes without the line feed; `undefined` when it was too long. */
export interface Line {
  readonly number: number;
  readonly bytes: Uint8Array | undefined;
}

/** Longest line that is read, in bytes: 16 MiB of data as base64 or with escapes, and its attributes, fit well. */
const longestLine = 64 * 1024 * 1024;

const lineFeed = 0x0a;

/**
 * Splits chunks into lines at line feeds and nowhere else: the texts of MACP hold raw U+2028, which other splitters
 * take for a line end. Blank lines are left out, but counted. Holds one line, however long the input is; what a line
 * has beyond `longest` bytes is dropped.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, longest = longestLine): AsyncGenerator<Line> {
  let number = 1;
  let held: Uint8Array[] = [];
  let length = 0;
  const keep = (bytes: Uint8Array): void => {
    length += bytes.length;
    if (length <= longest) held.push(bytes);
    else held = [];
  };
  const line = (): Line => ({ number, bytes: length > longest ? undefined : join(held) });
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      keep(chunk.subarray(start, end));
      const complete = line();
      if (!isBlank(complete.bytes)) yield complete;
      number += 1;
      held = [];
      length = 0;
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  const last = line();
  if (!isBlank(last.bytes)) yield last;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

function isBlank(bytes: Uint8Array | undefined): boolean {
  return bytes?.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d) ?? false;
}
