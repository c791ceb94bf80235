import { createHash, timingSafeEqual } from 'node:crypto';

/** A password that is known by its SHA-256 only. */
export class Password {
  readonly #digest: Uint8Array;

  constructor(password: string) {
    if (password === '') throw new TypeError('an empty password is none');
    this.#digest = digestOf(Buffer.from(password, 'utf8'));
  }

  /** Takes as long for a wrong one as for the right one. */
  is(sent: Uint8Array): boolean {
    return timingSafeEqual(this.#digest, digestOf(sent));
  }
}

function digestOf(password: Uint8Array): Uint8Array {
  return createHash('sha256').update(password).digest();
}
