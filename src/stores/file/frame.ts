import { crc32 } from 'node:zlib';

/** Length of the payload (u32), CRC-32 of what follows (u32), number of the commit (u64): big-endian. */
export const frameHeaderBytes = 16;
/** First commit (u64), CRC-32 of the rest (u32), the letters. */
export const segmentHeaderBytes = 20;
const letters = Buffer.from('MACPJNL1', 'latin1');
const checkedFrom = 8;

/** Fills in the header of a frame: its first bytes, which were left free. */
export function sealFrame(frame: Buffer, sequence: number): void {
  frame.writeUInt32BE(frame.length - frameHeaderBytes, 0);
  frame.writeBigUInt64BE(BigInt(sequence), checkedFrom);
  frame.writeUInt32BE(crc32(frame.subarray(checkedFrom)), 4);
}

/** What the header of a frame says; undefined when there is none. */
export function readFrameHeader(header: Buffer): { readonly length: number; readonly sequence: number } | undefined {
  if (header.length < frameHeaderBytes) return undefined;
  const sequence = Number(header.readBigUInt64BE(checkedFrom));
  return Number.isSafeInteger(sequence) ? { length: header.readUInt32BE(0), sequence } : undefined;
}

/** True when the frame is whole, header included. */
export function isWholeFrame(frame: Buffer): boolean {
  return frame.readUInt32BE(4) === crc32(frame.subarray(checkedFrom));
}

/** The header of a segment whose first frame is that of commit `first`. */
export function segmentHeader(first: number): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  header.writeBigUInt64BE(BigInt(first), 0);
  letters.copy(header, 12);
  header.writeUInt32BE(checksumOf(header), 8);
  return header;
}

/** The first commit of a segment; undefined when it has no whole header. */
export function readSegmentHeader(header: Buffer): number | undefined {
  if (header.length < segmentHeaderBytes || !header.subarray(12).equals(letters)) return undefined;
  return header.readUInt32BE(8) === checksumOf(header) ? Number(header.readBigUInt64BE(0)) : undefined;
}

function checksumOf(header: Buffer): number {
  return crc32(header.subarray(12), crc32(header.subarray(0, 8)));
}
