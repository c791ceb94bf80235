import { ByteCursor, MalformedBytes } from './byte-cursor.ts';
import { expand } from './compression/expand.ts';
import { FetchedRecord, type RecordSource } from './fetched-record.ts';
import { batchLimits } from './limits.ts';
import type { KafkaRecord, PassedStretch, ReadRecords, UnreadableRecords } from './read-records.ts';
import type { RecordBatch } from './record-batch.ts';
import type { RepeatedHeaders } from './repeated-headers.ts';

const nothing = Buffer.alloc(0);

/** Offsets up to the batch's last that cannot be read. */
function unreadableFrom(batch: RecordBatch, firstOffset: number, reason: string): UnreadableRecords {
  return { kind: 'unreadable', firstOffset, lastOffset: batch.lastOffset, reason, raw: batch.raw };
}

/** Offsets up to the batch's last that hold nothing for anybody. */
export function passedFrom(batch: RecordBatch, firstOffset: number): PassedStretch {
  return { kind: 'passed', firstOffset, lastOffset: batch.lastOffset, raw: batch.raw };
}

/**
 * The records of one batch that is not damaged, from an offset on and one at a time, so that a batch of countless tiny
 * records does not stand in memory as countless objects. Together they reach to the batch's last offset exactly: what
 * follows a record that cannot be read, is one stretch, and so are offsets without a record.
 *
 * Record: length varint, attributes byte, timestamp delta varlong, offset delta varint, key and value (length varint,
 * -1 for null), count of headers varint, for each its name and value in the same way.
 */
export class BatchRecords {
  readonly #batch: RecordBatch;
  readonly #from: number;
  readonly #source: RecordSource;
  readonly #cursor: ByteCursor;
  #left: number;
  /** The offset that the next record must not be below. */
  #next: number;
  #problem: string | undefined;

  constructor(batch: RecordBatch, repeated: RepeatedHeaders, from: number) {
    this.#batch = batch;
    this.#from = from;
    this.#left = batch.count;
    this.#next = batch.baseOffset;
    const expanded = this.#left <= 0 ? nothing : expand(batch.codec, batch.records, batchLimits.expandedBytes);
    if (typeof expanded === 'string') this.#problem = expanded;
    const bytes = typeof expanded === 'string' ? nothing : expanded;
    const { baseTimestamp, appendTime } = batch;
    this.#cursor = new ByteCursor(bytes);
    this.#source = { cursor: new ByteCursor(bytes), repeated, baseTimestamp, appendTime };
  }

  /** The next record, or what stands for those that are none; undefined once the last offset was reached. */
  next(): ReadRecords | undefined {
    while (this.#left > 0 && this.#problem === undefined) {
      const read = this.#read(this.#cursor);
      if (read !== undefined) return read;
    }
    const first = this.#next;
    const { lastOffset } = this.#batch;
    if (first > lastOffset || lastOffset < this.#from) return undefined;
    this.#next = lastOffset + 1;
    if (this.#problem !== undefined) return unreadableFrom(this.#batch, first, this.#problem);
    return passedFrom(this.#batch, Math.max(first, this.#from));
  }

  /** Undefined for a record below the first offset wanted, and when it cannot be read: then the problem is noted. */
  #read(cursor: ByteCursor): ReadRecords | undefined {
    try {
      const length = cursor.varint();
      const start = cursor.at;
      const end = start + length;
      if (length < 0 || end > cursor.bytes.length) throw new MalformedBytes('it is cut short');
      cursor.at = start + 1;
      cursor.varlong();
      const offset = this.#batch.baseOffset + cursor.varint();
      if (offset < this.#next || offset > this.#batch.lastOffset)
        throw new MalformedBytes('its offset is out of order');
      // Read whole even where it is not wanted: where a batch cannot be read must not depend on where the reading began.
      const read = this.#record(cursor, offset, start, end);
      this.#left -= 1;
      this.#next = offset + 1;
      cursor.at = end;
      return offset < this.#from ? undefined : read;
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.#problem = `the record at offset ${this.#next} is malformed: ${error.message}`;
      return undefined;
    }
  }

  /** Goes through the whole record, which can be taken apart without a mistake from then on. */
  #record(cursor: ByteCursor, offset: number, start: number, end: number): KafkaRecord | UnreadableRecords {
    cursor.skipNullable();
    cursor.skipNullable();
    const count = cursor.varint();
    if (count < 0) throw new MalformedBytes('it has less than no headers');
    if (count > batchLimits.headersOfRecord) {
      const reason = `it has ${count} headers, more than ${batchLimits.headersOfRecord}`;
      return {
        kind: 'unreadable',
        firstOffset: offset,
        lastOffset: offset,
        reason,
        raw: cursor.bytes.subarray(start, end),
      };
    }
    for (let left = count; left > 0; left -= 1) {
      cursor.skip(cursor.varint());
      cursor.skipNullable();
    }
    if (cursor.at !== end) throw new MalformedBytes('it is not as long as it says');
    return new FetchedRecord(this.#source, start, end - start, offset);
  }
}
