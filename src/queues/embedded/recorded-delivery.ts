import type { Content, Position } from '../../domain/delivery.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Message } from '../../domain/message.ts';
import { encodeBinary } from '../../domain/wire/binary.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import type { RecordFrame } from '../../segments/frame.ts';
import { readCommand, readContent } from './read-record.ts';
import { recordDigest } from './record.ts';

/** A delivery made from a record of the journal. */
export class RecordedDelivery implements QueuedDelivery {
  readonly position: Position;
  readonly bytes: number;
  readonly #frame: RecordFrame;

  constructor(frame: RecordFrame, position: Position) {
    this.#frame = frame;
    this.position = position;
    this.bytes = frame.end - frame.start;
  }

  get content(): Content {
    return readContent(this.#frame);
  }

  message(): Message {
    return encodeBinary(readCommand(this.#frame));
  }

  recordDigest(): Digest {
    return recordDigest(this.#frame);
  }
}
