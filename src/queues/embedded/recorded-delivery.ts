import type { Content, Position } from '../../domain/delivery.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Message } from '../../domain/message.ts';
import { encodeBinary } from '../../domain/wire/binary.ts';
import { contentOf } from '../../domain/wire/content.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import { type RecordFrame, readCommand, recordDigest } from './record.ts';

/** A delivery made from a record of the journal. */
export class RecordedDelivery implements QueuedDelivery {
  readonly content: Content;
  readonly position: Position;
  readonly bytes: number;
  readonly #frame: RecordFrame;

  constructor(frame: RecordFrame, position: Position) {
    this.#frame = frame;
    this.content = contentOf(readCommand(frame));
    this.position = position;
    this.bytes = frame.end - frame.start;
  }

  message(): Message {
    return encodeBinary(readCommand(this.#frame));
  }

  recordDigest(): Digest {
    return recordDigest(this.#frame);
  }
}
