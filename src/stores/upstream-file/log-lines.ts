import { createReadStream } from 'node:fs';
import { JsonSyntaxError } from '../../domain/documents/json-reader.ts';
import { compactJson } from '../../domain/documents/json-text.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { LineCutter } from '../../domain/lines.ts';
import type { UpstreamEntry } from '../upstream-session.ts';
import { isAbsent, unreadable } from './unreadable.ts';

const carriageReturn = 0x0d;

/**
 * The lines of a `log.jsonl` with their places, in pages, as upstream reads them: blank lines are none, and `\r\n` ends
 * a line like `\n`. What stands behind the last line feed and is no JSON was torn by a crash: upstream passes it over, and
 * so does this, once `onTorn` was told. A file that is not there is an empty log.
 */
export async function* readLogLines(
  path: string,
  onTorn: (place: string) => void,
): AsyncGenerator<readonly UpstreamEntry[]> {
  const cutter = new LineCutter();
  let number = 0;
  const entryOf = (line: Uint8Array | undefined): UpstreamEntry => {
    const place = `${path}:${number}`;
    if (line === undefined) throw new PersistenceError('INVALID_INPUT', `${place}: the line is too long for an entry`);
    return { bytes: line.at(-1) === carriageReturn ? line.subarray(0, -1) : line, place };
  };
  for await (const chunk of chunksOf(path)) {
    const page: UpstreamEntry[] = [];
    for (const line of cutter.cut(chunk)) {
      number += 1;
      if (!isBlank(line)) page.push(entryOf(line));
    }
    if (page.length > 0) yield page;
  }
  const rest = cutter.rest();
  if (isBlank(rest)) return;
  number += 1;
  const last = entryOf(rest);
  if (isJson(last.bytes)) yield [last];
  else onTorn(last.place);
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) yield chunk as Uint8Array;
  } catch (error) {
    if (!isAbsent(error)) throw unreadable(path, error);
  }
}

function isBlank(line: Uint8Array | undefined): boolean {
  return line?.every((byte) => byte === 0x20 || byte === 0x09 || byte === carriageReturn) ?? false;
}

function isJson(bytes: Uint8Array): boolean {
  try {
    compactJson(bytes);
    return true;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false;
    throw error;
  }
}
