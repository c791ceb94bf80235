/** A request as clients of Redis send it: an array of bulk strings. */
export function requestBytes(...parts: readonly (string | Uint8Array)[]): Buffer {
  const bulks = parts.map((part) => {
    const bytes = Buffer.from(part);
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
  });
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...bulks]);
}
