const lineFeed = 0x0a;

/** The lines of texts that lie in memory so already. */
const joined = new WeakMap<readonly Uint8Array[], Buffer>();

/**
 * Texts as lines, each ended by a line feed, in one piece. Not to be written to: where the very list comes from
 * {@link keepAsLines}, nothing is copied.
 */
export function joinLines(texts: readonly Uint8Array[]): Buffer {
  return joined.get(texts) ?? fillLines(Buffer.allocUnsafe(lengthOf(texts)), texts);
}

/** Copies of texts, to be kept, in memory of their own that holds nothing but their lines. */
export function keepAsLines(texts: readonly Uint8Array[]): readonly Uint8Array[] {
  const lines = fillLines(Buffer.allocUnsafeSlow(lengthOf(texts)), texts);
  let at = 0;
  const kept = texts.map(({ length }) => {
    const text = lines.subarray(at, at + length);
    at += length + 1;
    return text;
  });
  joined.set(kept, lines);
  return kept;
}

function lengthOf(texts: readonly Uint8Array[]): number {
  let length = texts.length;
  for (const text of texts) length += text.length;
  return length;
}

function fillLines(lines: Buffer, texts: readonly Uint8Array[]): Buffer {
  let at = 0;
  for (const text of texts) {
    lines.set(text, at);
    at += text.length;
    lines[at] = lineFeed;
    at += 1;
  }
  return lines;
}
