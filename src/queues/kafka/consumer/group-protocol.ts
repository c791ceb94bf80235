import { PersistenceError } from '../../../domain/errors.ts';
import type { FilledStore } from '../../../ports/queue.ts';

/** The name of our way to share out partitions: members that know another one cannot join the same group. */
export const assignorName = 'macp-persist-sticky';

/** What a member tells the group's leader when it joins. */
export interface Subscription {
  readonly topic: string;
  /** Partitions that it works on and gives up only when it is told to. */
  readonly owned: readonly number[];
  /** The generation that gave it those; -1 before the first. */
  readonly generation: number;
  readonly fills: FilledStore | undefined;
}

/** What the leader tells a member: its partitions, or why it gets none. */
export interface Assignment {
  readonly topic: string;
  readonly partitions: readonly number[];
  /** There when the member is refused: it fills another store than the leader, whose store this is. */
  readonly refusedFor?: FilledStore | undefined;
  /** The group changes again soon: some partitions wait for whoever owns them to give them up. */
  readonly isPassing: boolean;
}

const subscriptionVersion = 2;
const assignmentVersion = 1;

/** Kafka's ConsumerProtocolSubscription, version 2 (KIP-429, KIP-792), so that Kafka's own tools can read it too. */
export function encodeSubscription({ topic, owned, generation, fills }: Subscription): Buffer {
  return Buffer.concat([
    int16(subscriptionVersion),
    int32(1),
    text(topic),
    userData(fills === undefined ? {} : { fills }),
    topicPartitions(topic, owned),
    int32(generation),
  ]);
}

/** Throws `GROUP_CONFLICT` for a subscription that {@link encodeSubscription} did not write. */
export function decodeSubscription(bytes: Buffer): Subscription {
  return readWhole(bytes, 'subscription', (reader) => {
    reader.int16();
    const topics = reader.array(() => reader.text());
    const said = reader.userData();
    const [owned] = reader.array(() => reader.topicPartitions());
    return {
      topic: topics[0] ?? '',
      owned: owned?.partitions ?? [],
      generation: reader.int32(),
      fills: storeOf(said['fills']),
    };
  });
}

/** Kafka's ConsumerProtocolAssignment, version 1. */
export function encodeAssignment({ topic, partitions, refusedFor, isPassing }: Assignment): Buffer {
  return Buffer.concat([
    int16(assignmentVersion),
    topicPartitions(topic, partitions),
    userData({ ...(refusedFor === undefined ? {} : { refusedFor }), ...(isPassing ? { isPassing } : {}) }),
  ]);
}

/** Throws `GROUP_CONFLICT` for an assignment that {@link encodeAssignment} did not write. */
export function decodeAssignment(bytes: Buffer): Assignment {
  return readWhole(bytes, 'assignment', (reader) => {
    reader.int16();
    const [assigned] = reader.array(() => reader.topicPartitions());
    const said = reader.userData();
    return {
      topic: assigned?.topic ?? '',
      partitions: assigned?.partitions ?? [],
      refusedFor: storeOf(said['refusedFor']),
      isPassing: said['isPassing'] === true,
    };
  });
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([int16(bytes.length), bytes]);
}

function userData(value: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(value), 'utf8');
  return Buffer.concat([int32(bytes.length), bytes]);
}

function topicPartitions(topic: string, partitions: readonly number[]): Buffer {
  return Buffer.concat([int32(1), text(topic), int32(partitions.length), ...partitions.map(int32)]);
}

function readWhole<Value>(bytes: Buffer, what: string, read: (reader: Reader) => Value): Value {
  try {
    return read(new Reader(bytes));
  } catch (cause) {
    throw new PersistenceError(
      'GROUP_CONFLICT',
      `the ${what} of a member of the group cannot be read: another program consumes with this group id`,
      { cause },
    );
  }
}

function storeOf(value: unknown): FilledStore | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, shared } = value as { id?: unknown; shared?: unknown };
  return typeof id === 'string' ? { id, shared: shared === true } : undefined;
}

/** Reads the types of Kafka's protocol; a RangeError where bytes are missing. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  array<Value>(read: () => Value): Value[] {
    const values: Value[] = [];
    for (let left = this.int32(); left > 0; left -= 1) values.push(read());
    return values;
  }

  text(): string {
    return this.#take(this.int16()).toString('utf8');
  }

  userData(): Readonly<Record<string, unknown>> {
    const length = this.int32();
    const value: unknown = length <= 0 ? {} : JSON.parse(this.#take(length).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  }

  topicPartitions(): { readonly topic: string; readonly partitions: readonly number[] } {
    return { topic: this.text(), partitions: this.array(() => this.int32()) };
  }

  #take(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#bytes.length) throw new RangeError('cut short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
