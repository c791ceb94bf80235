import type { Random } from '../power-cut/random.ts';

/** What stands in for a token, or is put between two: JSON, nearly JSON, and none. */
const pieces: readonly string[] = [
  ...['', ' ', '\t', '\n', '\u00a0', ',', ':', '{', '}', '[', ']', '"', '\\', '\\u', '\\ud800', '\\ud83d\\ude00'],
  ...['null', 'true', 'nul', 'NaN', '0', '-0', '-1', '00', '1.0', '1e2', '1e400', '.5', '+1', '255', '256'],
  ...['4294967296', '9223372036854775808', '-9223372036854775809', '18446744073709551616', '"Open"', '"open"'],
  ...['""', '[]', '{}', '[1]', '[256]', '[1,]', '{"a":1}', '{"a":1,"a":2}', '"\u0000"', '\u0000', '\ufeff', '// no'],
];

/** The document with one to three changes, most of which spoil it. */
export function mutated(document: Uint8Array, random: Random): Uint8Array {
  let bytes = Buffer.from(document);
  for (let left = 1 + random.below(3); left > 0; left -= 1) bytes = changed(bytes, random);
  return bytes;
}

function changed(bytes: Buffer, random: Random): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const piece = Buffer.from(pieces[random.below(pieces.length)] ?? '', 'utf8');
  switch (random.below(4)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([random.below(256)]), bytes.subarray(at + 1)]);
    default:
      return withAnotherToken(bytes.toString('latin1'), piece, random);
  }
}

/** A token, with all bytes kept as they are. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[a-z]+|[[\]{},:]/g;

function withAnotherToken(text: string, piece: Buffer, random: Random): Buffer<ArrayBuffer> {
  const found = [...text.matchAll(tokens)];
  const token = found[random.below(Math.max(1, found.length))];
  if (token === undefined) return Buffer.concat([piece]);
  const [before, after] = [text.slice(0, token.index), text.slice(token.index + token[0].length)];
  return Buffer.concat([Buffer.from(before, 'latin1'), piece, Buffer.from(after, 'latin1')]);
}
