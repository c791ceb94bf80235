import { createRequire } from 'node:module';

type Checksum = (bytes: Uint8Array) => number;

/** CRC-32C of bytes as an unsigned number, by the processor's own instructions where the native module has a build. */
export const crc32c: Checksum = native() ?? crc32cByTable;

function native(): Checksum | undefined {
  try {
    const module = createRequire(import.meta.url)('@node-rs/crc32') as typeof import('@node-rs/crc32');
    return (bytes) => module.crc32c(bytes);
  } catch {
    // There is no build for this platform, or it was left out with the optional dependencies.
    return undefined;
  }
}

/** The polynomial of CRC-32C (RFC 3720, appendix B.4), bits reversed. */
const polynomial = 0x82f63b78;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  return crc;
});

/** The same, a byte at a time: for where there is no build, and a tenth as fast. */
export function crc32cByTable(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
