/** As much of the wire format of protocol buffers as macp-runtime's answers need: numbers, texts, messages in messages. */

/** A field by its number: a text or nested message as bytes, a number as bigint. */
export type Field = readonly [number, Uint8Array | bigint];

/** Texts may be given as they are. */
export function encodeMessage(fields: readonly (Field | readonly [number, string])[]): Uint8Array {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'bigint') return Buffer.concat([varint(BigInt(number << 3)), varint(value)]);
      const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
      return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes]);
    }),
  );
}

/** The fields of a message in their order. Throws a `RangeError` where it is none. */
export function decodeMessage(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [key, afterKey] = readVarint(bytes, at);
    const [value, afterValue] = readVarint(bytes, afterKey);
    const number = Number(key >> 3n);
    const wireType = Number(key & 7n);
    if (wireType !== 0 && wireType !== 2) throw new RangeError(`wire type ${wireType} is not read here`);
    at = wireType === 0 ? afterValue : afterValue + Number(value);
    if (at > bytes.length) throw new RangeError('a field goes beyond its message');
    fields.push([number, wireType === 0 ? value : bytes.subarray(afterValue, at)]);
  }
  return fields;
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}

function readVarint(bytes: Uint8Array, start: number): readonly [bigint, number] {
  let value = 0n;
  for (let at = start; ; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw new RangeError('a number goes beyond its message');
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start));
    if (byte < 0x80) return [value, at + 1];
  }
}
