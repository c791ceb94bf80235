import { JsonReader } from '../domain/documents/json-reader.ts';
import { textBetween } from '../domain/documents/json-text.ts';
import { PersistenceError } from '../domain/errors.ts';
import { LineCutter } from '../domain/lines.ts';
import type { AcceptedEntry } from '../ports/service.ts';
import { cutShort } from './failures.ts';

/**
 * The lines of an NDJSON stream, those of a chunk together: memory is bounded by a chunk and a line. Throws when the
 * stream ends within a line.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[]> {
  const cutter = new LineCutter();
  for await (const chunk of chunks) {
    const lines = [...cutter.cut(chunk)].map(whole);
    if (lines.length > 0) yield lines;
  }
  if (cutter.rest()?.length !== 0) throw cutShort();
}

/** A line of `incoming`: `{"ordinal":n,"entry":{…}}`, the entry as the very bytes that stand there. */
export function acceptedEntry(line: Uint8Array): AcceptedEntry {
  const members = membersOf(line);
  const [ordinal, entry] = [members.get('ordinal'), members.get('entry')];
  if (ordinal === undefined || entry === undefined) throw notExpected(line);
  return { ordinal: Number(textBetween(ordinal, 0, ordinal.length)), entry };
}

/** A line, or `UNEXPECTED` where it was longer than any that a service writes. */
export function whole(line: Uint8Array | undefined): Uint8Array {
  if (line !== undefined) return line;
  throw new PersistenceError('UNEXPECTED', 'the service answered a line that is longer than any entry can be');
}

/** The members of a JSON object by name, each as the bytes that stand there. */
function membersOf(line: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const members = new Map<string, Uint8Array>();
  const reader = new JsonReader(line);
  reader.expect(0x7b, '"{"');
  while (reader.next() !== 0x7d) {
    if (members.size > 0) reader.expect(0x2c, '","');
    reader.next();
    const nameAt = reader.at;
    reader.text(false);
    const name = textBetween(line, nameAt + 1, reader.at - 1);
    reader.expect(0x3a, '":"');
    reader.next();
    const start = reader.at;
    reader.value();
    members.set(name, line.subarray(start, reader.at));
  }
  reader.at += 1;
  reader.finish();
  return members;
}

function notExpected(line: Uint8Array): PersistenceError {
  const shown = JSON.stringify(Buffer.from(line).toString('utf8').slice(0, 200));
  return new PersistenceError('UNEXPECTED', `the service answered a line that is no accepted entry: ${shown}`);
}
