import type { MessageHeader } from '../../../domain/message.ts';
import type { ByteCursor } from './byte-cursor.ts';
import type { KafkaRecord } from './read-records.ts';
import type { RepeatedHeaders } from './repeated-headers.ts';

const noValue = new Uint8Array(0);

/** What the records of one batch have in common. */
export interface RecordSource {
  /** Over the records, expanded. Whoever reads moves it first. */
  readonly cursor: ByteCursor;
  readonly repeated: RepeatedHeaders;
  /** What the time differences of the records count from, in milliseconds since 1970. */
  readonly baseTimestamp: number;
  /** The time of all records of the batch, where the broker gave them one. */
  readonly appendTime: number | undefined;
}

/**
 * A record that was found well-formed and is taken apart when it is asked for, each time anew: thousands of records are
 * held between fetching and deciding, and a view of every header of each would be most of what the memory holds.
 *
 * Its bytes: attributes byte, timestamp delta varlong, offset delta varint, key and value (length varint, -1 for null),
 * count of headers varint, for each its name and value in the same way.
 */
export class FetchedRecord implements KafkaRecord {
  readonly offset: number;
  readonly bytes: number;
  readonly #source: RecordSource;
  readonly #start: number;

  /** `start`: where it begins, behind its length. `bytes`: how many it takes. */
  constructor(source: RecordSource, start: number, bytes: number, offset: number) {
    this.#source = source;
    this.#start = start;
    this.bytes = bytes;
    this.offset = offset;
  }

  // Not kept in each of the thousands.
  get kind(): 'record' {
    return 'record';
  }

  get timestamp(): number {
    const { cursor, baseTimestamp, appendTime } = this.#source;
    if (appendTime !== undefined) return appendTime;
    cursor.at = this.#start + 1;
    return baseTimestamp + cursor.varlong();
  }

  get key(): Uint8Array | undefined {
    return this.#atKey().nullable();
  }

  get value(): Uint8Array {
    const cursor = this.#atKey();
    cursor.skipNullable();
    return cursor.nullable() ?? noValue;
  }

  get headers(): readonly MessageHeader[] {
    const cursor = this.#atKey();
    cursor.skipNullable();
    cursor.skipNullable();
    // Of its size from the start: one that grows takes twice the room, and is made for every command.
    const headers = new Array<MessageHeader>(cursor.varint());
    for (let place = 0; place < headers.length; place += 1) headers[place] = this.#source.repeated.read(cursor, place);
    return headers;
  }

  get body(): Buffer {
    const { bytes, at } = this.#atKey();
    return bytes.subarray(at, this.#start + this.bytes);
  }

  #atKey(): ByteCursor {
    const { cursor } = this.#source;
    cursor.at = this.#start + 1;
    cursor.varlong();
    cursor.varint();
    return cursor;
  }
}
