import { PersistenceError } from '../../../domain/errors.ts';
import { crc32c } from './crc32c.ts';

/** The one format of record batches that Kafka 4 still writes (KIP-98). */
const currentMagic = 2;
/** Base offset and length stand before what the length counts. */
const framingBytes = 12;
/** An entry of the formats before record batches has at least checksum, magic, attributes and two lengths. */
const smallestLegacy = 14;
const headerBytes = 61;
/** The checksum is over everything from the attributes on. */
const checkedFrom = 21;

const codecBits = 0x07;
const logAppendTime = 0x08;
const transactional = 0x10;
const control = 0x20;

/** One record batch within bytes that were fetched: views, read when asked for. */
export class RecordBatch {
  /** The whole batch. */
  readonly raw: Buffer;
  readonly baseOffset: number;

  constructor(raw: Buffer, baseOffset: number) {
    this.raw = raw;
    this.baseOffset = baseOffset;
  }

  get magic(): number {
    return this.raw.readInt8(16);
  }

  /** Why nothing beyond the magic can be trusted, or undefined. */
  damage(): string | undefined {
    if (this.magic !== currentMagic) return `its format ${this.magic} is not read any more, only ${currentMagic} is`;
    const found = crc32c(this.raw.subarray(checkedFrom));
    if (found !== this.raw.readUInt32BE(17)) return 'its checksum does not match';
    return this.lastOffsetDelta < 0 ? 'its last offset stands before its first' : undefined;
  }

  get codec(): number {
    return this.#attributes & codecBits;
  }

  get isTransactional(): boolean {
    return (this.#attributes & transactional) !== 0;
  }

  get isControl(): boolean {
    return (this.#attributes & control) !== 0;
  }

  get lastOffsetDelta(): number {
    return this.raw.readInt32BE(23);
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }

  /** Of the producer's clock, in milliseconds since 1970; deltas of the records count from here. */
  get baseTimestamp(): number {
    return Number(this.raw.readBigInt64BE(27));
  }

  /** The time that the broker gave to all records of the batch, where the topic is set up so. */
  get appendTime(): number | undefined {
    return (this.#attributes & logAppendTime) === 0 ? undefined : Number(this.raw.readBigInt64BE(35));
  }

  /** -1 for a producer that is neither idempotent nor transactional. */
  get producerId(): bigint {
    return this.raw.readBigInt64BE(43);
  }

  /** How many records there are said to be. */
  get count(): number {
    return this.raw.readInt32BE(57);
  }

  /** The records, compressed where there is a codec. */
  get records(): Buffer {
    return this.raw.subarray(headerBytes);
  }

  /**
   * The last offset as far as a damaged batch can tell: two fields have to agree about it, as they do in every batch
   * that a producer sends. Else only its first offset is known for its own.
   */
  get plausibleLastOffset(): number {
    if (this.raw.length < headerBytes || this.magic < currentMagic) return this.baseOffset;
    const delta = this.lastOffsetDelta;
    return delta > 0 && delta === this.count - 1 ? this.baseOffset + delta : this.baseOffset;
  }

  get #attributes(): number {
    return this.raw.readInt16BE(21);
  }
}

/**
 * The batch that starts at `at`, or undefined when it is not there whole: the last one of a fetch may be cut short.
 * Throws `QUEUE_CORRUPT` for a start that no batch has, or none behind `after`, the last offset before it: then nobody
 * can tell where the next one is.
 */
export function batchAt(bytes: Buffer, at: number, after = -1): RecordBatch | undefined {
  if (bytes.length - at < framingBytes + smallestLegacy) return undefined;
  const length = bytes.readInt32BE(at + 8);
  const magic = bytes.readInt8(at + 16);
  const smallest = magic >= currentMagic ? headerBytes - framingBytes : smallestLegacy;
  const baseOffset = Number(bytes.readBigInt64BE(at));
  if (length < smallest || !Number.isSafeInteger(baseOffset) || baseOffset <= after) {
    throw new PersistenceError(
      'QUEUE_CORRUPT',
      `Kafka answered a fetch with bytes that are no record batch (offset ${baseOffset}, length ${length})`,
    );
  }
  const end = at + framingBytes + length;
  return end > bytes.length ? undefined : new RecordBatch(bytes.subarray(at, end), baseOffset);
}
