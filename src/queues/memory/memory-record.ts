import type { Position } from '../../domain/delivery.ts';
import { bytesDigest, type Digest } from '../../domain/digest.ts';
import { encodeMessage, type Message } from '../../domain/message.ts';
import { decodeBinary } from '../../domain/wire/binary.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';

/** One message as the memory queue keeps it. */
export class MemoryRecord {
  readonly position: Position;
  /** When it was appended, in ms since 1970. */
  readonly time: number;
  readonly bytes: number;
  readonly #message: Message;
  readonly #encoded: Uint8Array;

  constructor(position: Position, time: number, message: Message) {
    this.position = position;
    this.time = time;
    this.#message = message;
    this.#encoded = encodeMessage(message);
    this.bytes = this.#encoded.length;
  }

  digest(): Digest {
    return bytesDigest(Buffer.from(`${this.position.partition}/${this.position.offset}/`, 'latin1'), this.#encoded);
  }

  delivery(): QueuedDelivery {
    return {
      content: decodeBinary(this.#message),
      position: this.position,
      bytes: this.bytes,
      message: () => this.#message,
      recordDigest: () => this.digest(),
    };
  }
}
