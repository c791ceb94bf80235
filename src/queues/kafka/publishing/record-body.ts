import type { Message } from '../../../domain/message.ts';

/**
 * What a record says, as the record format writes it: key, value and headers (Apache Kafka, record batch format,
 * "Record"). It is all of a record but its length, attributes, timestamp and offset, which depend on its batch.
 */
export type RecordBody = Buffer;

/** The body of a record that carries `message`. An empty value is written as empty, not as null. */
export function encodeRecordBody(message: Message): RecordBody {
  const { key, headers, value } = message;
  let size = varintBytes(key?.length ?? -1) + (key?.length ?? 0);
  size += varintBytes(value.length) + value.length + varintBytes(headers.length);
  for (const [name, content] of headers) {
    const nameBytes = Buffer.byteLength(name, 'utf8');
    size += varintBytes(nameBytes) + nameBytes + varintBytes(content.length) + content.length;
  }
  const body = Buffer.allocUnsafe(size);
  let at = writeBytes(body, 0, key);
  at = writeBytes(body, at, value);
  at = writeVarint(body, at, headers.length);
  for (const [name, content] of headers) {
    at = writeVarint(body, at, Buffer.byteLength(name, 'utf8'));
    at += body.write(name, at, 'utf8');
    at = writeBytes(body, at, content);
  }
  return body;
}

/** Bytes that {@link writeVarint} takes for a whole number below 2^31 in size. */
export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < 0x10000000 ? 4 : 5;
}

/** Writes a whole number below 2^31 in size as a zigzag varint; returns where it ends. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let end = at;
  while (rest > 0x7f) {
    bytes[end] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    end += 1;
  }
  bytes[end] = rest;
  return end + 1;
}

/** Writes a length and the bytes, or that there are none; returns where they end. */
function writeBytes(bytes: Buffer, at: number, content: Uint8Array | undefined): number {
  if (content === undefined) return writeVarint(bytes, at, -1);
  const start = writeVarint(bytes, at, content.length);
  bytes.set(content, start);
  return start + content.length;
}
