import { PersistenceError } from '../domain/errors.ts';
import { LineCutter } from '../domain/lines.ts';
import type { FollowedEvent } from '../ports/service.ts';
import { whole } from './json-lines.ts';

/** A server-sent event: its type, its data as the bytes that stand there, and its id, empty when it has none. */
export interface ServerSentEvent {
  readonly type: string;
  readonly data: Uint8Array;
  readonly id: string;
}

const colon = 0x3a;
const space = 0x20;
const carriageReturn = 0x0d;
const lineFeed = Buffer.from('\n', 'latin1');

/**
 * The events of a stream of server-sent events (HTML, 9.2.6), where lines end with a line feed, before which a
 * carriage return may stand. Comments, fields of other names and events without data are passed over; an event that
 * the end of the stream cuts short is none.
 */
export async function* serverSentEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const cutter = new LineCutter();
  let event = { type: 'message', id: '', data: [] as Uint8Array[] };
  for await (const chunk of chunks) {
    for (const cut of cutter.cut(chunk)) {
      const line = whole(cut);
      const [name, value] = fieldOf(line.at(-1) === carriageReturn ? line.subarray(0, -1) : line);
      if (name === 'event') event.type = value.toString('utf8');
      else if (name === 'id') event.id = value.toString('utf8');
      else if (name === 'data') event.data.push(value);
      else if (name === undefined) {
        if (event.data.length > 0) yield { type: event.type, id: event.id, data: joined(event.data) };
        event = { type: 'message', id: '', data: [] };
      }
    }
  }
}

/** What a followed log tells with this event; undefined for one of a kind that a newer service may send. */
export function followedEvent({ type, data, id }: ServerSentEvent): FollowedEvent | undefined {
  if (type === 'entry') {
    const [, generation, ordinal] = /^(\d+)\.(\d+)$/.exec(id) ?? [];
    if (generation === undefined || ordinal === undefined) throw unusable('id', id);
    return { kind: 'entry', generation: Number(generation), ordinal: Number(ordinal), entry: data };
  }
  if (type !== 'reset') return undefined;
  const text = Buffer.from(data).toString('utf8');
  const { generation }: { readonly generation?: unknown } = JSON.parse(text);
  if (typeof generation !== 'number') throw unusable('reset', text);
  return { kind: 'reset', generation };
}

/** Name and value of a line's field; no name on a blank line, an empty one on a comment. */
function fieldOf(line: Uint8Array): readonly [name: string | undefined, value: Buffer] {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  if (bytes.length === 0) return [undefined, bytes];
  const at = bytes.indexOf(colon);
  if (at === -1) return [bytes.toString('utf8'), bytes.subarray(bytes.length)];
  const start = bytes[at + 1] === space ? at + 2 : at + 1;
  return [bytes.toString('utf8', 0, at), bytes.subarray(start)];
}

function joined(lines: readonly Uint8Array[]): Uint8Array {
  const [only] = lines;
  if (lines.length === 1 && only !== undefined) return only;
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [lineFeed, line])));
}

function unusable(what: string, text: string): PersistenceError {
  const shown = JSON.stringify(text.slice(0, 100));
  return new PersistenceError('UNEXPECTED', `the service told of a log with an unusable ${what}: ${shown}`);
}
