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
  const cutter = new LineCutter(longest);
  let number = 0;
  for await (const chunk of chunks) {
    for (const bytes of cutter.cut(chunk)) {
      number += 1;
      if (!isBlank(bytes)) yield { number, bytes };
    }
  }
  const bytes = cutter.rest();
  if (!isBlank(bytes)) yield { number: number + 1, bytes };
}

/** Cuts bytes that come in chunks into lines, at line feeds and nowhere else. Holds no more than one line. */
export class LineCutter {
  readonly #longest: number;
  #held: Uint8Array[] = [];
  #length = 0;

  /** `longest`: most bytes that a line may have. */
  constructor(longest = longestLine) {
    this.#longest = longest;
  }

  /** The lines that end within this chunk, without their line feeds, blank ones included; undefined: too long. */
  *cut(chunk: Uint8Array): Generator<Uint8Array | undefined> {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      this.#keep(chunk.subarray(start, end));
      yield this.rest();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** What came after the last line feed: empty when the last line was ended; undefined when it is too long. */
  rest(): Uint8Array | undefined {
    const line = this.#length > this.#longest ? undefined : join(this.#held);
    this.#held = [];
    this.#length = 0;
    return line;
  }

  #keep(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length <= this.#longest) this.#held.push(bytes);
    else this.#held = [];
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

/** True of a line that says nothing. */
export function isBlank(bytes: Uint8Array | undefined): boolean {
  return bytes?.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d) ?? false;
}
