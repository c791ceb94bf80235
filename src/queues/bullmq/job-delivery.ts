import type { Content, Position } from '../../domain/delivery.ts';
import { bytesDigest, type Digest } from '../../domain/digest.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import { encodeMessage, type Message } from '../../domain/message.ts';
import { decodeBinary } from '../../domain/wire/binary.ts';
import { unreadable } from '../../domain/wire/event-content.ts';
import type { QueuedDelivery } from '../../ports/queue.ts';
import { eventBytes, keyOf, messageOf } from './job-events.ts';
import { type EventBounds, type ReadText, readJobText } from './job-text.ts';
import type { RepeatedAttributes } from './repeated-attributes.ts';

/** A job as it was read: its offsets are `first` to `first + count - 1`. */
export interface ReadJob {
  readonly first: number;
  readonly count: number;
  /** What BullMQ calls it; undefined where it is read from an archive. */
  readonly id?: string | undefined;
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

/** What a job holds. */
interface JobEvents {
  /** About how many bytes an event takes. */
  bytes(index: number): number;
  /** The message that an event stands for; what is kept of it where it is none. */
  read(index: number): Message | Buffer;
}

/** The deliveries of a job: as many as its count says, whatever its data says. */
export function deliveriesOf(job: ReadJob, place: ShardPlace, attributes: RepeatedAttributes): readonly JobDelivery[] {
  const read = { job, place, events: eventsOf(job, attributes) };
  return Array.from({ length: job.count }, (_, index) => new JobDelivery(read, index));
}

function eventsOf({ data, count }: ReadJob, attributes: RepeatedAttributes): JobEvents {
  const text = readJobText(data, count);
  if (text !== undefined) return new WrittenEvents(text, attributes);
  const parsed = parsedEvents(data);
  // There have to be as many as were counted when the job was given its offsets.
  return parsed?.length === count ? new ParsedEvents(parsed) : new NoEvents(data);
}

function parsedEvents(data: Buffer): readonly unknown[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { events } = (parsed ?? {}) as { readonly events?: unknown };
  return Array.isArray(events) ? events : undefined;
}

/** Events as our own publishers write them, which are not made into texts: see {@link readJobText}. */
class WrittenEvents implements JobEvents {
  readonly #text: ReadText;
  readonly #attributes: RepeatedAttributes;

  constructor(text: ReadText, attributes: RepeatedAttributes) {
    this.#text = text;
    this.#attributes = attributes;
  }

  bytes(index: number): number {
    const { start, end } = this.#bounds(index);
    return end - start;
  }

  read(index: number): Message {
    const { bytes } = this.#text;
    const { start, data, end } = this.#bounds(index);
    const headers = this.#attributes.read(bytes, start, data);
    return { key: keyOf(headers), headers, value: bytes.subarray(data, end) };
  }

  #bounds(index: number): EventBounds {
    return this.#text.events[index] as EventBounds;
  }
}

/** Events as any client may write them. */
class ParsedEvents implements JobEvents {
  readonly #events: readonly unknown[];

  constructor(events: readonly unknown[]) {
    this.#events = events;
  }

  bytes(index: number): number {
    return eventBytes(this.#events[index]);
  }

  read(index: number): Message | Buffer {
    const event = this.#events[index];
    return messageOf(event) ?? Buffer.from(JSON.stringify(event), 'utf8');
  }
}

/** A job of which the events cannot be told apart: each stands for it as a whole. */
class NoEvents implements JobEvents {
  readonly #data: Buffer;

  constructor(data: Buffer) {
    this.#data = data;
  }

  bytes(): number {
    return this.#data.length;
  }

  read(): Buffer {
    return this.#data;
  }
}

/** A job as it was read, with what its deliveries have in common. */
interface DeliveredJob {
  readonly job: ReadJob;
  readonly events: JobEvents;
  readonly place: ShardPlace;
}

/**
 * One event of a job. It is taken apart whenever somebody asks: thousands are held until their commit, and whatever
 * each holds is copied for it.
 */
export class JobDelivery implements QueuedDelivery {
  readonly #read: DeliveredJob;
  readonly #index: number;

  constructor(read: DeliveredJob, index: number) {
    this.#read = read;
    this.#index = index;
  }

  get position(): Position {
    const { job, place } = this.#read;
    return { partition: place.shard, offset: job.first + this.#index };
  }

  get bytes(): number {
    return this.#read.events.bytes(this.#index);
  }

  /** The id of its job where it is the last of one that waits. */
  get endedJob(): string | undefined {
    const { count, id } = this.#read.job;
    return this.#index === count - 1 ? id : undefined;
  }

  /** When its job was published, in milliseconds since 1970. */
  get time(): number {
    return this.#read.job.time;
  }

  get content(): Content {
    const read = this.#read.events.read(this.#index);
    return Buffer.isBuffer(read) ? this.#unreadable(read) : this.#decoded(read);
  }

  message(): Message {
    const read = this.#read.events.read(this.#index);
    return Buffer.isBuffer(read) ? standIn(read) : read;
  }

  recordDigest(): Digest {
    const { partition, offset } = this.position;
    return bytesDigest(Buffer.from(`${partition}/${offset}/`, 'latin1'), encodeMessage(this.message()));
  }

  /** An event in another shard than its session's belongs to no session: see `KafkaDelivery`. */
  #decoded(event: Message): Content {
    const content = decodeBinary(event);
    if (content.kind === 'unreadable') return content;
    const { shard, shards, shardOf } = this.#read.place;
    const right = shardOf(content.session);
    if (right === shard) return content;
    const message =
      `the job lies in shard ${shard}, and session ${JSON.stringify(content.session)} belongs to ${right} of ${shards}: ` +
      'the shard is murmur2 of the session id modulo their number';
    return unreadable({ code: 'WRONG_PARTITION', message }, content.session, () => encodeMessage(event));
  }

  #unreadable(raw: Buffer): Content {
    const { partition, offset } = this.position;
    const message = `offset ${offset} of shard ${partition} is no event of a job, which has text for every attribute and its data`;
    return unreadable({ code: 'UNREADABLE_BATCH', message }, undefined, () => encodeMessage(standIn(raw)));
  }
}

/** What is kept of an event that is none. */
function standIn(raw: Buffer): Message {
  return { key: undefined, headers: [], value: raw };
}
