/** Names beyond so many are read anew each time: whoever invents them must not fill the memory. */
const mostNames = 256;

interface KnownName {
  readonly bytes: Buffer;
  readonly text: string;
}

/**
 * Names of headers as texts. They repeat from record to record, mostly in the same order, so what stood at the same
 * place of the record before is compared first.
 */
export class HeaderNames {
  readonly #atPlace: (KnownName | undefined)[] = [];
  readonly #known = new Map<string, KnownName>();

  /** The text of `bytes[start, end)`, the name of a record's header number `place`. What is no UTF-8 is replaced. */
  read(bytes: Buffer, start: number, end: number, place: number): string {
    const expected = this.#atPlace[place];
    if (expected !== undefined && stands(expected.bytes, bytes, start, end)) return expected.text;
    const key = bytes.toString('latin1', start, end);
    const name = this.#known.get(key) ?? this.#learn(key, bytes, start, end);
    if (place < mostNames) this.#atPlace[place] = name;
    return name.text;
  }

  #learn(key: string, bytes: Buffer, start: number, end: number): KnownName {
    const name = { bytes: Buffer.from(bytes.subarray(start, end)), text: bytes.toString('utf8', start, end) };
    if (this.#known.size < mostNames) this.#known.set(key, name);
    return name;
  }
}

/** A loop, because names are too short for a native call. */
function stands(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const { length } = name;
  if (end - start !== length) return false;
  for (let at = 0; at < length; at += 1) if (name[at] !== bytes[start + at]) return false;
  return true;
}
