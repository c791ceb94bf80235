import { PersistenceError } from './errors.ts';

/**
 * One message of a queue, in the terms of Kafka's records: CloudEvents binary content mode puts the attributes in
 * the headers and the data in the value.
 */
export interface Message {
  readonly key: Uint8Array | undefined;
  readonly headers: readonly MessageHeader[];
  readonly value: Uint8Array;
}

export type MessageHeader = readonly [name: string, value: Uint8Array];

const formatVersion = 1;

/**
 * A whole message as bytes, for dead letters and parked commands. Layout: version byte; key length + 1 as u32
 * (0: no key) and key; u32 header count; for each header u32 name length, name, u32 value length, value; the rest
 * is the message's value. Integers are big-endian; none is narrower than what a hostile sender can reach.
 */
export function encodeMessage(message: Message): Uint8Array {
  const names = message.headers.map(([name]) => Buffer.from(name, 'utf8'));
  let size = 1 + 4 + (message.key?.length ?? 0) + 4 + message.value.length;
  message.headers.forEach(([, value], index) => {
    size += 4 + (names[index]?.length ?? 0) + 4 + value.length;
  });
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.writeUInt8(formatVersion, 0);
  at = bytes.writeUInt32BE(message.key === undefined ? 0 : message.key.length + 1, at);
  if (message.key !== undefined) {
    bytes.set(message.key, at);
    at += message.key.length;
  }
  at = bytes.writeUInt32BE(message.headers.length, at);
  message.headers.forEach(([, value], index) => {
    const name = names[index] ?? Buffer.alloc(0);
    at = bytes.writeUInt32BE(name.length, at);
    bytes.set(name, at);
    at = bytes.writeUInt32BE(value.length, at + name.length);
    bytes.set(value, at);
    at += value.length;
  });
  bytes.set(message.value, at);
  return bytes;
}

/** The message that {@link encodeMessage} wrote. Throws `STORE_CORRUPT` on bytes that it did not write. */
export function decodeMessage(encoded: Uint8Array): Message {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  try {
    return readMessage(bytes);
  } catch (cause) {
    throw new PersistenceError('STORE_CORRUPT', 'a kept message cannot be read back', { cause });
  }
}

function readMessage(bytes: Buffer): Message {
  if (bytes.readUInt8(0) !== formatVersion) throw new RangeError(`message format ${bytes.readUInt8(0)}`);
  let at = 1;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('message cut short');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const keyLength = take(4).readUInt32BE(0);
  const key = keyLength === 0 ? undefined : take(keyLength - 1);
  const headers: MessageHeader[] = [];
  for (let left = take(4).readUInt32BE(0); left > 0; left -= 1) {
    const name = take(take(4).readUInt32BE(0)).toString('utf8');
    headers.push([name, take(take(4).readUInt32BE(0))]);
  }
  return { key, headers, value: bytes.subarray(at) };
}
