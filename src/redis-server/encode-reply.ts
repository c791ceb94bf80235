import type { ServerReply, StreamReply, WholeReply } from './replies.ts';

/** RESP2, or RESP3 for clients that asked for it. */
export type Protocol = 2 | 3;

const lineEnd = Buffer.from('\r\n', 'latin1');
/** Bulk strings up to so many bytes are joined with what stands around them. */
const mostJoined = 16_384;

/**
 * A reply as bytes, in pieces: long values are not copied. A stream cannot be encoded whole: see
 * {@link streamBeginning}.
 */
export function encodeReply(reply: WholeReply, protocol: Protocol): readonly Uint8Array[] {
  const pieces = new Pieces();
  addReply(pieces, reply, protocol);
  return pieces.end();
}

/** What stands before the values of a stream. */
export function streamBeginning({ of, count }: StreamReply, protocol: Protocol): Uint8Array {
  return Buffer.from(`${of === 'set' && protocol === 3 ? '~' : '*'}${count}\r\n`, 'latin1');
}

/** Values of a stream as bytes, in pieces. */
export function encodeValues(values: readonly Uint8Array[]): readonly Uint8Array[] {
  const pieces = new Pieces();
  for (const value of values) addBulk(pieces, value);
  return pieces.end();
}

/** About the bytes that a reply holds. */
export function sizeOfReply(reply: ServerReply): number {
  const each = 64;
  // What it is read from stays open until it is sent.
  if (reply.kind === 'stream') return 4_096;
  if (reply.kind === 'bulk') return each + reply.bytes.length;
  if (reply.kind === 'array') return reply.items.reduce((sum, item) => sum + sizeOfReply(item), each);
  return each;
}

function addReply(pieces: Pieces, reply: ServerReply, protocol: Protocol): void {
  switch (reply.kind) {
    case 'simple':
      return pieces.text(`+${reply.text}\r\n`);
    case 'error':
      return pieces.text(`-${reply.text}\r\n`);
    case 'integer':
      return pieces.text(`:${reply.value}\r\n`);
    case 'null':
      return pieces.text(protocol === 3 ? '_\r\n' : '$-1\r\n');
    case 'bulk':
      return addBulk(pieces, reply.bytes);
    case 'array':
      pieces.text(`*${reply.items.length}\r\n`);
      for (const item of reply.items) addReply(pieces, item, protocol);
      return;
    case 'map':
      pieces.text(protocol === 3 ? `%${reply.entries.length}\r\n` : `*${2 * reply.entries.length}\r\n`);
      for (const [name, value] of reply.entries) {
        addBulk(pieces, Buffer.from(name, 'utf8'));
        addReply(pieces, value, protocol);
      }
      return;
    case 'stream':
      throw new TypeError('a stream stands alone');
  }
}

function addBulk(pieces: Pieces, bytes: Uint8Array): void {
  pieces.text(`$${bytes.length}\r\n`);
  pieces.bytes(bytes);
  pieces.bytes(lineEnd);
}

/** Bytes that follow one another, the short ones joined. */
class Pieces {
  readonly #whole: Uint8Array[] = [];
  #short: Uint8Array[] = [];

  text(text: string): void {
    this.#short.push(Buffer.from(text, 'utf8'));
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length <= mostJoined) {
      this.#short.push(bytes);
      return;
    }
    this.#join();
    this.#whole.push(bytes);
  }

  end(): readonly Uint8Array[] {
    this.#join();
    return this.#whole;
  }

  #join(): void {
    const [first, ...others] = this.#short;
    if (first === undefined) return;
    this.#whole.push(others.length === 0 ? first : Buffer.concat(this.#short));
    this.#short = [];
  }
}
