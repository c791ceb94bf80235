const dollar = 0x24;
const asterisk = 0x2a;
const zero = 0x30;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** A line that tells a length: its letter, at most ten digits, its end. */
const mostLineBytes = 13;

/**
 * A command as it goes to Redis (RESP, https://redis.io/docs/latest/develop/reference/protocol-spec/): an array of
 * bulk strings. Commits have tens of thousands of arguments, so each is touched as little as possible.
 */
export function encodeRequest(name: string, args: readonly (string | Uint8Array)[]): Buffer {
  const request = new RequestWriter(sizeLimit(name) + args.reduce((sum, arg) => sum + sizeLimit(arg), mostLineBytes));
  request.line(asterisk, args.length + 1);
  request.bulk(name);
  for (const arg of args) request.bulk(arg);
  return request.finish();
}

/** Most bytes that a bulk string takes: a UTF-16 unit becomes at most three. */
function sizeLimit(argument: string | Uint8Array): number {
  return mostLineBytes + 2 + (typeof argument === 'string' ? 3 * argument.length : argument.length);
}

class RequestWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  line(letter: number, count: number): void {
    const bytes = this.#bytes;
    let digits = 1;
    for (let rest = count; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
    bytes[this.#at] = letter;
    const end = this.#at + 1 + digits;
    let rest = count;
    for (let at = end - 1; at > this.#at; at -= 1) {
      bytes[at] = zero + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#at = end;
    this.#endLine();
  }

  bulk(argument: string | Uint8Array): void {
    if (typeof argument === 'string') {
      const length = Buffer.byteLength(argument, 'utf8');
      this.line(dollar, length);
      this.#bytes.write(argument, this.#at, length, 'utf8');
      this.#at += length;
    } else {
      this.line(dollar, argument.length);
      this.#bytes.set(argument, this.#at);
      this.#at += argument.length;
    }
    this.#endLine();
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #endLine(): void {
    this.#bytes[this.#at] = carriageReturn;
    this.#bytes[this.#at + 1] = lineFeed;
    this.#at += 2;
  }
}
