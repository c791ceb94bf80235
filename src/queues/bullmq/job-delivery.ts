import type { Content, Position } from '../../domain/delivery.ts';
import { bytesDigest, type Digest } from '../../domain/digest.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { encodeMessage, type Message } from '../../domain/message.ts';
import { decodeBinary } from '../../domain/wire/binary.ts';
import { unreadable } from '../../domain/wire/event-content.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import { messageOf } from './job-events.ts';

/** A job as it was read: its offsets are `first` to `first + count - 1`. */
export interface ReadJob {
  readonly first: number;
  readonly count: number;
  /** When it was published, in milliseconds since 1970, by its publisher's clock. */
  readonly time: number;
  /** JSON text. */
  readonly data: Buffer;
}

/** A shard, and how to tell whether an event lies where its session belongs. */
export interface ShardPlace {
  readonly shard: number;
  readonly shards: number;
  readonly shardOf: (session: SessionId) => number;
}

/** The deliveries of a job: as many as its count says, whatever its data says. */
export function deliveriesOf(job: ReadJob, place: ShardPlace): readonly JobDelivery[] {
  const events = eventsOf(job);
  return Array.from({ length: job.count }, (_, index) => {
    const position = { partition: place.shard, offset: job.first + index };
    const message = events === undefined ? undefined : messageOf(events[index]);
    const of = { time: job.time, position, endsJob: index === job.count - 1, place };
    if (message !== undefined) return new JobDelivery({ ...of, message, isEvent: true });
    const value = events === undefined ? job.data : Buffer.from(JSON.stringify(events[index]) ?? '', 'utf8');
    const stand: Message = { key: undefined, headers: [], value };
    return new JobDelivery({ ...of, message: stand, isEvent: false });
  });
}

/** The events of a job, unless there are not as many as were counted when it was given its offsets. */
function eventsOf({ data, count }: ReadJob): readonly unknown[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { events } = (parsed ?? {}) as { readonly events?: unknown };
  return Array.isArray(events) && events.length === count ? events : undefined;
}

interface DeliveryParts {
  readonly message: Message;
  /** Whether the message is an event as {@link messageOf} reads it, not merely what stood in its stead. */
  readonly isEvent: boolean;
  readonly time: number;
  readonly position: Position;
  /** Whether it is the last of its job. */
  readonly endsJob: boolean;
  readonly place: ShardPlace;
}

/** One event of a job; its content is decoded when somebody first asks for it. */
export class JobDelivery implements QueuedDelivery {
  readonly position: Position;
  readonly bytes: number;
  readonly endsJob: boolean;
  /** When its job was published, in milliseconds since 1970. */
  readonly time: number;
  readonly #message: Message;
  readonly #isEvent: boolean;
  readonly #place: ShardPlace;
  #content: Content | undefined;

  constructor({ message, isEvent, time, position, endsJob, place }: DeliveryParts) {
    this.position = position;
    this.endsJob = endsJob;
    this.time = time;
    this.#message = message;
    this.#isEvent = isEvent;
    this.#place = place;
    this.bytes = message.headers.reduce((sum, [name, value]) => sum + name.length + value.length, message.value.length);
  }

  get content(): Content {
    this.#content ??= this.#isEvent ? this.#decoded() : this.#unreadable();
    return this.#content;
  }

  message(): Message {
    return this.#message;
  }

  recordDigest(): Digest {
    const { partition, offset } = this.position;
    return bytesDigest(Buffer.from(`${partition}/${offset}/`, 'latin1'), encodeMessage(this.#message));
  }

  /** An event in another shard than its session's belongs to no session: see `KafkaDelivery`. */
  #decoded(): Content {
    const content = decodeBinary(this.#message);
    if (content.kind === 'unreadable') return content;
    const { shard, shards, shardOf } = this.#place;
    const right = shardOf(content.session);
    if (right === shard) return content;
    const message =
      `the job lies in shard ${shard}, and session ${JSON.stringify(content.session)} belongs to ${right} of ${shards}: ` +
      'the shard is murmur2 of the session id modulo their number';
    return unreadable({ code: 'WRONG_PARTITION', message }, content.session, () => encodeMessage(this.#message));
  }

  #unreadable(): Content {
    const { partition, offset } = this.position;
    const message = `offset ${offset} of shard ${partition} is no event of a job, which has text for every attribute and its data`;
    return unreadable({ code: 'UNREADABLE_BATCH', message }, undefined, () => encodeMessage(this.#message));
  }
}
