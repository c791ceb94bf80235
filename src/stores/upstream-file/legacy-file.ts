import { readFile } from 'node:fs/promises';
import { JsonReader, JsonSyntaxError } from '../../domain/documents/json-reader.ts';
import { decodeText } from '../../domain/documents/json-text.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { type SessionId, sessionIdProblem } from '../../domain/identifiers.ts';
import { orAbsent, orUnreadable } from './unreadable.ts';

/** The texts of a legacy file by session: each one a JSON value as it stands there. */
export type LegacyTexts = ReadonlyMap<SessionId, Uint8Array>;

/**
 * A file of upstream's first layout: one JSON object of all sessions (`sessions.json`: id to snapshot; `logs.json`: id to
 * array of entries). It is held in memory whole, as upstream does; where an id stands twice, the last counts. Undefined
 * where there is no such file. Throws `INVALID_INPUT`.
 */
export async function readLegacyFile(path: string): Promise<LegacyTexts | undefined> {
  const bytes = await orUnreadable(path, orAbsent(readFile(path)));
  if (bytes === undefined) return undefined;
  try {
    return members(new JsonReader(bytes));
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new PersistenceError('INVALID_INPUT', `${path} cannot be read as upstream's: ${cause.message}`, { cause });
  }
}

/** The texts of an array's items. It is known to be one JSON value; throws `INVALID_INPUT` when it is no array. */
export function* itemsOf(array: Uint8Array, place: string): Generator<Uint8Array> {
  if (array[0] !== 0x5b) throw new PersistenceError('INVALID_INPUT', `${place} is no array of log entries`);
  const reader = new JsonReader(array, 1);
  if (reader.next() === 0x5d) return;
  for (;;) {
    yield textOfValue(reader);
    if (reader.next() === 0x5d) return;
    reader.expect(0x2c, '"," or "]"');
  }
}

function members(reader: JsonReader): LegacyTexts {
  const texts = new Map<SessionId, Uint8Array>();
  reader.expect(0x7b, 'an object of all sessions');
  if (reader.next() !== 0x7d) {
    for (;;) {
      const session = sessionOf(reader);
      reader.expect(0x3a, '":"');
      texts.set(session, textOfValue(reader));
      if (reader.next() === 0x7d) break;
      reader.expect(0x2c, '"," or "}"');
    }
  }
  reader.at += 1;
  reader.finish();
  return texts;
}

function sessionOf(reader: JsonReader): SessionId {
  reader.next();
  const start = reader.at;
  reader.text(true);
  const text = decodeText(reader.bytes, start);
  const problem = sessionIdProblem(text);
  if (problem === undefined) return text as SessionId;
  throw new PersistenceError('INVALID_INPUT', `session id ${JSON.stringify(text)} cannot be copied: ${problem}`);
}

function textOfValue(reader: JsonReader): Uint8Array {
  reader.next();
  const start = reader.at;
  reader.value();
  return reader.bytes.subarray(start, reader.at);
}
