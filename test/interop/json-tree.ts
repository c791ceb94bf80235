/** JSON of which nothing is lost: numbers stay the text that they were written as, members keep their order. */
export type Json =
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Json])[] }
  | { readonly kind: 'array'; readonly items: readonly Json[] }
  /** An array of at least one small number, which payloads of megabytes are: its text without white space. */
  | { readonly kind: 'bytes'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'word'; readonly text: 'null' | 'true' | 'false' };

/** The tree of a JSON text. Throws a `SyntaxError` where it is none. */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  const tree = parser.value();
  parser.end();
  return tree;
}

/** The text of a tree without white space: numbers as they were written, strings as JavaScript writes them. */
export function jsonText(tree: Json): string {
  switch (tree.kind) {
    case 'object':
      return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(',')}}`;
    case 'array':
      return `[${tree.items.map(jsonText).join(',')}]`;
    case 'string':
      return JSON.stringify(tree.value);
    default:
      return tree.text;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Json {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === '{') return { kind: 'object', members: this.#list('{', '}', () => this.#member()) };
    const bytes = first === '[' ? this.#token(/\[\d{1,3}(?:,\d{1,3})*\]/y) : undefined;
    if (bytes !== undefined) return { kind: 'bytes', text: bytes };
    if (first === '[') return { kind: 'array', items: this.#list('[', ']', () => this.value()) };
    if (first === '"') return { kind: 'string', value: this.#string() };
    const word = this.#token(/null|true|false/y);
    if (word !== undefined) return { kind: 'word', text: word as 'null' | 'true' | 'false' };
    const number = this.#token(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number === undefined) throw this.#unexpected();
    return { kind: 'number', text: number };
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected();
  }

  #member(): readonly [string, Json] {
    this.#skipSpace();
    const name = this.#string();
    this.#expect(':');
    return [name, this.value()];
  }

  #list<Item>(open: string, close: string, read: () => Item): readonly Item[] {
    this.#expect(open);
    const items: Item[] = [];
    this.#skipSpace();
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return items;
    }
    for (;;) {
      items.push(read());
      this.#skipSpace();
      if (this.#text[this.#at] === close) break;
      this.#expect(',');
    }
    this.#expect(close);
    return items;
  }

  #string(): string {
    const token = this.#token(/"(?:[^"\\]|\\.)*"/sy);
    if (token === undefined) throw this.#unexpected();
    return JSON.parse(token) as string;
  }

  #expect(character: string): void {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) throw this.#unexpected();
    this.#at += 1;
  }

  #token(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    this.#token(/[ \t\r\n]+/y);
  }

  #unexpected(): SyntaxError {
    return new SyntaxError(`unexpected ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))} at ${this.#at}`);
  }
}
