import { PersistenceError } from '../errors.ts';
import type { SessionId } from '../identifiers.ts';
import { JsonSyntaxError } from './json-reader.ts';
import { compactJson, textBetween } from './json-text.ts';
import { compareText } from './text-order.ts';

/** What a dump of one session is made of: its stored documents, exactly as they are stored. */
export interface DumpInput<Log> {
  readonly session: SessionId;
  readonly snapshot: Uint8Array | undefined;
  readonly log: Log;
}

/**
 * The canonical dump of one session, one line without a line break: `{"log":[…],"session":{…}|null,"session_id":"…"}`.
 * The members of every object are sorted by the UTF-8 bytes of their names, as are the snapshot's `seen_message_ids`,
 * because upstream's hash maps order both differently from save to save. Numbers and strings stay as they are
 * written; white space goes. Throws `STORE_CORRUPT` when a document is not JSON.
 */
export function canonicalDump(input: DumpInput<Iterable<Uint8Array>>): string {
  const entries = Array.from(input.log, (entry) => stored(input.session, 'log entry', entry));
  return `${opening}${entries.join(',')}${closing(input)}`;
}

/** The same line in parts, one a log entry, so that a long log need not be held in memory. */
export async function* canonicalDumpParts(
  input: DumpInput<AsyncIterable<Uint8Array> | Iterable<Uint8Array>>,
): AsyncGenerator<string> {
  yield opening;
  let separator = '';
  for await (const entry of input.log) {
    yield separator + stored(input.session, 'log entry', entry);
    separator = ',';
  }
  yield closing(input);
}

const opening = '{"log":[';

function closing({ session, snapshot }: DumpInput<unknown>): string {
  const document = snapshot === undefined ? 'null' : stored(session, 'snapshot', snapshot);
  return `],"session":${document},"session_id":${JSON.stringify(session)}}`;
}

function stored(session: SessionId, kind: 'log entry' | 'snapshot', bytes: Uint8Array): string {
  try {
    return canonicalJson(bytes, kind === 'snapshot' ? 'seen_message_ids' : undefined);
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new PersistenceError('STORE_CORRUPT', `a ${kind} of session ${JSON.stringify(session)} is not JSON`, {
      cause,
    });
  }
}

/** A member of an object: its name, and its text as it is written, name included. */
interface Member {
  readonly name: string;
  readonly text: string;
}

/** An object whose end has not been reached. */
interface OpenObject {
  /** The canonical text of what stands before it in its own container. */
  readonly before: string;
  readonly members: Member[];
  /** The present member's name as it is written. */
  name: string;
  /** Arrays opened in the present member and not closed: commas within them separate no members. */
  arrays: number;
}

/**
 * The JSON text `bytes` with the members of every object sorted by the UTF-8 bytes of their names and without white
 * space, all tokens as they are written; members of one name keep their order. `sortedMember` names a member of the
 * outermost object that is an array of strings to be sorted likewise. Nesting is unlimited: nothing here recurses,
 * and texts grow by concatenation, which costs the same at any depth. Throws {@link JsonSyntaxError}.
 */
export function canonicalJson(bytes: Uint8Array, sortedMember?: string): string {
  const compact = compactJson(bytes);
  const text = textBetween(compact, 0, compact.length);
  const objects: OpenObject[] = [];
  let object: OpenObject | undefined;
  let written = '';
  let from = 0;
  const startMember = (of: OpenObject, at: number): void => {
    const end = endOfToken(text, at);
    of.name = text.slice(at, end);
    from = end + 1;
  };
  const endMember = (of: OpenObject, at: number): void => {
    const value = written + text.slice(from, at);
    const name = decodeToken(of.name);
    const sorted = objects.length === 1 && name === sortedMember ? sortStrings(value) : value;
    of.members.push({ name, text: `${of.name}:${sorted}` });
    written = '';
  };
  for (let at = 0; at < text.length; ) {
    const character = text.charCodeAt(at);
    if (character === 0x22) {
      at = endOfToken(text, at);
      continue;
    }
    at += 1;
    if (character === 0x7b) {
      object = { before: written + text.slice(from, at - 1), members: [], name: '', arrays: 0 };
      objects.push(object);
      written = '';
      from = at;
      if (text.charCodeAt(at) === 0x22) {
        startMember(object, at);
        at = from;
      }
    } else if (object !== undefined) {
      if (character === 0x5b) object.arrays += 1;
      else if (character === 0x5d) object.arrays -= 1;
      else if (character === 0x2c && object.arrays === 0) {
        endMember(object, at - 1);
        startMember(object, at);
        at = from;
      } else if (character === 0x7d) {
        // An empty object has no member to end: its closing brace follows its opening one.
        if (text.charCodeAt(at - 2) !== 0x7b) endMember(object, at - 1);
        written = object.before + sortedObject(object.members);
        objects.pop();
        object = objects.at(-1);
        from = at;
      }
    }
  }
  return written + text.slice(from);
}

function sortedObject(members: Member[]): string {
  members.sort((one, other) => compareText(one.name, other.name));
  let text = '{';
  for (const member of members) text += text === '{' ? member.text : `,${member.text}`;
  return `${text}}`;
}

/** The compact array `text` sorted, if it is one of strings; else as it is. */
function sortStrings(text: string): string {
  const tokens: string[] = [];
  for (let at = 1; text.charCodeAt(at) === 0x22; ) {
    const end = endOfToken(text, at);
    tokens.push(text.slice(at, end));
    at = end + 1;
  }
  const sorted = tokens
    .map((token) => ({ token, decoded: decodeToken(token) }))
    .sort((one, other) => compareText(one.decoded, other.decoded));
  const result = `[${sorted.map(({ token }) => token).join(',')}]`;
  return result.length === text.length ? result : text;
}

/** The index after the string token that starts at `start`. */
function endOfToken(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const character = text.charCodeAt(at);
    if (character === 0x22) return at + 1;
    at += character === 0x5c ? 2 : 1;
  }
}

function decodeToken(token: string): string {
  return token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
}
