import { GrowingBytes } from './growing-bytes.ts';
import { LengthLine } from './length-line.ts';
import type { RequestLimits } from './limits.ts';
import { badLength, ProtocolError, type SentKind } from './protocol-error.ts';

/** A request as it stood on the wire. */
export interface ParsedRequest {
  /** The command's name and its arguments, at least one; memory of their own. */
  readonly parts: readonly [Buffer, ...Buffer[]];
  /** As it was pushed with the chunk that holds its first byte. */
  readonly arrived: number;
  /** About the bytes that it holds. */
  readonly size: number;
}

const asterisk = 0x2a;
const dollar = 0x24;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** Bytes of the end of a line. */
const lineEnd = 2;
const nothing = Buffer.alloc(0);
/** What an argument takes beside its bytes. */
const overhead = 100;

/**
 * Reads requests (RESP, https://redis.io/docs/latest/develop/reference/protocol-spec/): arrays of bulk strings and
 * nothing else. Inline commands are refused: no client sends any, and what a browser can be made to send would be some.
 * Chunks may end anywhere; requests are taken out one at a time, so that whoever has enough of them stops.
 */
export class RequestParser {
  #chunk: Uint8Array = nothing;
  #at = 0;
  #chunkArrived = 0;
  readonly #line = new LengthLine();
  #arrived = 0;
  /** Arguments of the request that are still to come; 0 between requests. */
  #missing = 0;
  #parts: Buffer[] = [];
  #size = 0;
  /** The argument that is being read, from its length to its end. */
  #argument: GrowingBytes | undefined;
  #argumentLength: number | undefined;

  /** True when a part of a request has come. */
  get isHalfway(): boolean {
    return this.#missing > 0 || this.#line.isHalfway;
  }

  /** About the bytes that are held here: of the request that is not whole, and what was not looked at. */
  get held(): number {
    return this.#size + (this.#argument?.held ?? 0) + (this.#chunk.length - this.#at);
  }

  /** Gives it what came next. All that came before must have been taken out. */
  push(chunk: Uint8Array, arrived: number): void {
    if (this.#at < this.#chunk.length) throw new TypeError('what came before was not taken out');
    this.#chunk = chunk;
    this.#at = 0;
    this.#chunkArrived = arrived;
  }

  /**
   * The next request, or undefined while it is not whole. Throws a {@link ProtocolError} for anything that is none or
   * goes beyond `limits`; nothing can be read after that.
   */
  next(limits: RequestLimits): ParsedRequest | undefined {
    if (!this.#begin(limits)) return undefined;
    while (this.#missing > 0) {
      const part = this.#readArgument(limits);
      if (part === undefined) {
        this.#forgetChunk();
        return undefined;
      }
      this.#parts.push(part);
      this.#size += part.length + overhead;
      this.#missing -= 1;
    }
    const [name, ...rest] = this.#parts;
    if (name === undefined) throw new TypeError('a request has at least one part');
    const request: ParsedRequest = { parts: [name, ...rest], arrived: this.#arrived, size: this.#size };
    this.#parts = [];
    this.#size = 0;
    this.#forgetChunk();
    return request;
  }

  /** Reads how many arguments there are, unless that is known. */
  #begin(limits: RequestLimits): boolean {
    if (this.#missing > 0) return true;
    if (!this.#line.isHalfway) this.#arrived = this.#chunkArrived;
    const count = this.#readLine(asterisk, 'multibulk');
    if (count === undefined) {
      this.#forgetChunk();
      return false;
    }
    if (count < 1 || count > limits.arguments) throw new ProtocolError(badLength('multibulk'));
    this.#missing = count;
    return true;
  }

  #readArgument(limits: RequestLimits): Buffer | undefined {
    this.#argumentLength ??= this.#readLength(limits);
    const length = this.#argumentLength;
    if (length === undefined) return undefined;
    const line = this.#readBytes(length + lineEnd);
    if (line === undefined) return undefined;
    if (line[length] !== carriageReturn || line[length + 1] !== lineFeed) throw new ProtocolError(badLength('bulk'));
    this.#argument = undefined;
    this.#argumentLength = undefined;
    return line.subarray(0, length);
  }

  #readLength(limits: RequestLimits): number | undefined {
    const length = this.#readLine(dollar, 'bulk');
    if (length === undefined) return undefined;
    if (length > limits.argumentBytes || this.#size + length > limits.requestBytes) {
      throw new ProtocolError(badLength('bulk'));
    }
    return length;
  }

  /** A copy: what is kept of a chunk would keep all of it. */
  #readBytes(count: number): Buffer | undefined {
    const end = this.#at + count;
    if (this.#argument === undefined && end <= this.#chunk.length) {
      const bytes = Buffer.from(this.#chunk.subarray(this.#at, end));
      this.#at = end;
      return bytes;
    }
    this.#argument ??= new GrowingBytes(count);
    this.#at += this.#argument.take(this.#chunk, this.#at);
    return this.#argument.whole();
  }

  #readLine(letter: number, kind: SentKind): number | undefined {
    while (this.#at < this.#chunk.length) {
      const length = this.#line.take(this.#chunk[this.#at] ?? 0, letter, kind);
      this.#at += 1;
      if (length !== undefined) return length;
    }
    return undefined;
  }

  /** A chunk that was read to its end is not kept. */
  #forgetChunk(): void {
    if (this.#at < this.#chunk.length) return;
    this.#chunk = nothing;
    this.#at = 0;
  }
}
