import type { Content, Position } from '../../domain/delivery.ts';
import { bytesDigest, type Digest } from '../../domain/digest.ts';
import type { Message } from '../../domain/message.ts';
import { decodeEvent, messageOfEvent } from '../../domain/wire/structured.ts';
import { readStructured } from '../../domain/wire/structured-event.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import type { FoundLine } from './file-lines.ts';

/** An event on a line of a file. */
export class LineDelivery implements QueuedDelivery {
  readonly position: Position;
  readonly #line: FoundLine;
  #content: Content | undefined;

  constructor(line: FoundLine, position: Position) {
    this.#line = line;
    this.position = position;
  }

  get bytes(): number {
    return this.#line.bytes.length;
  }

  get content(): Content {
    this.#content ??= decodeEvent(this.#line.bytes);
    return this.#content;
  }

  message(): Message {
    return messageOfEvent(this.#line.bytes);
  }

  recordDigest(): Digest {
    return lineDigest(this.#line);
  }
}

/** SHA-256 over a line without its line feed. */
export function lineDigest({ bytes }: FoundLine): Digest {
  return bytesDigest(bytes);
}

/** When the event on a line says that it came about, in milliseconds since 1970; NaN where it says nothing. */
export function timeOf({ bytes }: FoundLine): number {
  const structured = readStructured(bytes);
  if ('code' in structured || structured.event.time === undefined) return Number.NaN;
  return Date.parse(Buffer.from(structured.event.time).toString('latin1'));
}
