import type { MessageHeader } from '../../../domain/message.ts';
import { ByteCursor } from './byte-cursor.ts';
import type { HeaderNames } from './header-names.ts';
import type { KafkaRecord } from './read-records.ts';

const noValue = new Uint8Array(0);

/** What the records of one batch have in common. */
export interface RecordSource {
  /** The records, expanded. */
  readonly bytes: Buffer;
  readonly names: HeaderNames;
}

/**
 * A record that was found well-formed and is taken apart when it is asked for, each time anew: thousands of records are
 * held between fetching and deciding, and a view of every header of each would be most of what the memory holds.
 *
 * From its key on: key and value (length varint, -1 for null), count of headers varint, for each its name and value in
 * the same way.
 */
export class FetchedRecord implements KafkaRecord {
  readonly kind = 'record';
  readonly offset: number;
  readonly timestamp: number;
  readonly bytes: number;
  readonly #source: RecordSource;
  readonly #start: number;

  /** `start`: where its key stands. `bytes`: how many it takes. */
  constructor(source: RecordSource, start: number, offset: number, timestamp: number, bytes: number) {
    this.#source = source;
    this.#start = start;
    this.offset = offset;
    this.timestamp = timestamp;
    this.bytes = bytes;
  }

  get key(): Uint8Array | undefined {
    return this.#cursor().nullable();
  }

  get value(): Uint8Array {
    const cursor = this.#cursor();
    cursor.skipNullable();
    return cursor.nullable() ?? noValue;
  }

  get headers(): readonly MessageHeader[] {
    const cursor = this.#cursor();
    cursor.skipNullable();
    cursor.skipNullable();
    const headers: MessageHeader[] = [];
    const count = cursor.varint();
    for (let place = 0; place < count; place += 1) {
      const length = cursor.varint();
      const start = cursor.at;
      cursor.at += length;
      headers.push([this.#source.names.read(cursor.bytes, start, cursor.at, place), cursor.nullable() ?? noValue]);
    }
    return headers;
  }

  #cursor(): ByteCursor {
    return new ByteCursor(this.#source.bytes, this.#start);
  }
}
