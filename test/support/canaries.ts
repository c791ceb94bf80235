import { randomBytes } from 'node:crypto';

/** Marks that stand for secrets, and where they must not turn up. */
export class Canaries {
  readonly #marks: string[] = [];

  /** A mark of letters and digits that stands for `what`. */
  mark(what: string): string {
    const mark = `canary${what}${randomBytes(6).toString('hex')}`;
    this.#marks.push(mark);
    return mark;
  }

  /** A secret that was made elsewhere counts as a mark from now on. */
  add(secret: string): void {
    this.#marks.push(secret);
  }

  /** The marks that `text` holds, in plain, percent-encoded, as base64, hexadecimal or a JSON array of bytes. */
  in(text: string): readonly string[] {
    return this.#marks.filter((mark) => formsOf(mark).some((form) => text.includes(form)));
  }
}

function formsOf(mark: string): readonly string[] {
  const bytes = Buffer.from(mark, 'latin1');
  // Base64 of a part looks different at each of three offsets; its first and last characters depend on the neighbours.
  const inBase64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  return [
    mark,
    encodeURIComponent(mark),
    bytes.toString('hex'),
    [...bytes].join(','),
    [...bytes].join(', '),
    ...inBase64,
  ];
}
