import { ExpansionError, GrowingOutput } from './growing-output.ts';

/**
 * Snappy (https://github.com/google/snappy, format_description.txt), plain as librdkafka sends it, or in the frames of
 * xerial's snappy-java as the Java client does. Written here because snappyjs never ends on some hostile inputs.
 */
export function expandSnappy(input: Buffer, limit: number): Buffer {
  const output = new GrowingOutput(limit, input.length * 4);
  if (!isFramed(input)) expandBlock(input, output);
  else {
    for (let at = frameHeaderBytes; at < input.length; ) {
      if (at + 4 > input.length) throw new ExpansionError('it is cut short');
      const end = at + 4 + input.readInt32BE(at);
      if (end < at + 4 || end > input.length) throw new ExpansionError('it is cut short');
      expandBlock(input.subarray(at + 4, end), output);
      at = end;
    }
  }
  return output.bytes();
}

const frameMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, a version and the lowest compatible version. */
const frameHeaderBytes = 16;

function isFramed(input: Buffer): boolean {
  return input.length >= frameHeaderBytes && input.subarray(0, frameMagic.length).equals(frameMagic);
}

/** One block: its length expanded, then elements that begin with a tag of which the lowest two bits tell the kind. */
function expandBlock(input: Uint8Array, output: GrowingOutput): void {
  const start = output.length;
  let at = 0;
  let promised = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = input[at];
    if (byte === undefined || at === 5) throw new ExpansionError('it does not say how long it is');
    at += 1;
    promised += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  while (at < input.length) {
    const tag = input[at] ?? 0;
    const kind = tag & 3;
    const upper = tag >>> 2;
    at += 1;
    if (kind === 0) {
      const lengthBytes = upper < 60 ? 0 : upper - 59;
      const length = (lengthBytes === 0 ? upper : littleEndian(input, at, lengthBytes)) + 1;
      output.literal(input, at + lengthBytes, length);
      at += lengthBytes + length;
    } else if (kind === 1) {
      output.match(((tag >>> 5) << 8) | littleEndian(input, at, 1), (upper & 7) + 4, start);
      at += 1;
    } else {
      const distanceBytes = kind === 2 ? 2 : 4;
      output.match(littleEndian(input, at, distanceBytes), upper + 1, start);
      at += distanceBytes;
    }
  }
  if (output.length - start !== promised) throw new ExpansionError('it is not as long as it says');
}

function littleEndian(input: Uint8Array, at: number, length: number): number {
  if (at + length > input.length) throw new ExpansionError('it is cut short');
  let value = 0;
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256 + (input[at + index] ?? 0);
  return value;
}
