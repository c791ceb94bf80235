import type { Content, Position } from '../../domain/delivery.ts';
import { bytesDigest, type Digest } from '../../domain/digest.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { encodeMessage, type Message } from '../../domain/message.ts';
import { decodeBinary } from '../../domain/wire/binary.ts';
import { unreadable } from '../../domain/wire/event-content.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import { eventBytes, messageOf } from './job-events.ts';

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
    const endsJob = index === job.count - 1;
    const raw = events === undefined ? job.data : undefined;
    return new JobDelivery({ event: events?.[index], raw, time: job.time, position, endsJob, place });
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
  /** As it stood in the job. */
  readonly event: unknown;
  /** The data of the job, where that could not be read. */
  readonly raw: Buffer | undefined;
  readonly time: number;
  readonly position: Position;
  /** Whether it is the last of its job. */
  readonly endsJob: boolean;
  readonly place: ShardPlace;
}

/**
 * One event of a job; its content is decoded when somebody first asks for it, and its message whenever somebody does:
 * thousands are held until their commit, and whatever each holds is copied for it.
 */
export class JobDelivery implements QueuedDelivery {
  readonly bytes: number;
  readonly #parts: DeliveryParts;
  #content: Content | undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.bytes = parts.raw?.length ?? eventBytes(parts.event);
  }

  get position(): Position {
    return this.#parts.position;
  }

  get endsJob(): boolean {
    return this.#parts.endsJob;
  }

  /** When its job was published, in milliseconds since 1970. */
  get time(): number {
    return this.#parts.time;
  }

  get content(): Content {
    if (this.#content === undefined) {
      const message = messageOf(this.#parts.event);
      this.#content = message === undefined ? this.#unreadable() : this.#decoded(message);
    }
    return this.#content;
  }

  message(): Message {
    return messageOf(this.#parts.event) ?? this.#standIn();
  }

  recordDigest(): Digest {
    const { partition, offset } = this.position;
    return bytesDigest(Buffer.from(`${partition}/${offset}/`, 'latin1'), encodeMessage(this.message()));
  }

  /** An event in another shard than its session's belongs to no session: see `KafkaDelivery`. */
  #decoded(event: Message): Content {
    const content = decodeBinary(event);
    if (content.kind === 'unreadable') return content;
    const { shard, shards, shardOf } = this.#parts.place;
    const right = shardOf(content.session);
    if (right === shard) return content;
    const message =
      `the job lies in shard ${shard}, and session ${JSON.stringify(content.session)} belongs to ${right} of ${shards}: ` +
      'the shard is murmur2 of the session id modulo their number';
    return unreadable({ code: 'WRONG_PARTITION', message }, content.session, () => encodeMessage(event));
  }

  #unreadable(): Content {
    const { partition, offset } = this.position;
    const message = `offset ${offset} of shard ${partition} is no event of a job, which has text for every attribute and its data`;
    return unreadable({ code: 'UNREADABLE_BATCH', message }, undefined, () => encodeMessage(this.#standIn()));
  }

  /** What is kept of an event that is none. */
  #standIn(): Message {
    const { event, raw } = this.#parts;
    const value = raw ?? Buffer.from(JSON.stringify(event), 'utf8');
    return { key: undefined, headers: [], value };
  }
}
