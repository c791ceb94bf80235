import { type CommandType, claimType, numberedTypes, skipType } from '../command.ts';
import type { Refusal } from '../delivery.ts';
import { type SessionId, sessionIdProblem, type Writer, writerProblem } from '../identifiers.ts';
import { asBuffer, LastSeen, SeenOften, sameBytes, shown, utf8Text } from './bytes.ts';

const commandTypes: readonly CommandType[] = [...numberedTypes, claimType, skipType];
const knownTypes = commandTypes.map((type) => ({ type, bytes: Buffer.from(type, 'latin1') }));

/** The command type that `bytes` write, or undefined. */
export function readType(bytes: Uint8Array): CommandType | undefined {
  for (const known of knownTypes) if (sameBytes(bytes, known.bytes)) return known.type;
  return undefined;
}

const maximumSessionIdBytes = 255;

const sessions = new SeenOften<SessionId>(readNewSession);

/** The session id that `bytes` write, or undefined when they are not UTF-8 or not storage-safe. */
export function readSession(bytes: Uint8Array): SessionId | undefined {
  return sessions.of(bytes);
}

function readNewSession(bytes: Uint8Array): SessionId | undefined {
  const { length } = bytes;
  // Real ids are ASCII: checked in one pass, so that the general rule (with its expressions) is rarely asked.
  if (length < 3 || length > maximumSessionIdBytes) return readAnySession(bytes);
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === 0 || byte > 0x7f || byte === 0x2f || byte === 0x5c) return readAnySession(bytes);
  }
  return asBuffer(bytes).toString('latin1') as SessionId;
}

function readAnySession(bytes: Uint8Array): SessionId | undefined {
  const text = utf8Text(bytes);
  return text === undefined || sessionIdProblem(text) !== undefined ? undefined : (text as SessionId);
}

/** Why `subject` is no session id, for a subject that is none. */
export function sessionRefusal(subject: Uint8Array | undefined): Refusal {
  if (subject === undefined) return missing('subject');
  const text = utf8Text(subject);
  const problem = text === undefined ? 'it is not UTF-8' : sessionIdProblem(text);
  return { code: 'INVALID_SESSION_ID', message: `subject ${shown(subject)} is no session id: ${problem}` };
}

const writers = new LastSeen<Writer>((bytes) => {
  const text = utf8Text(bytes);
  return text === undefined || writerProblem(text) !== undefined ? undefined : (text as Writer);
});

/** The writer that `bytes` write, or undefined when they are not a URI-reference. */
export function readWriter(bytes: Uint8Array): Writer | undefined {
  return writers.of(bytes);
}

/** Why `source` is no writer, for a source that is none. */
export function writerRefusal(source: Uint8Array | undefined): Refusal {
  if (source === undefined) return missing('source');
  const text = utf8Text(source);
  const problem = text === undefined ? 'it is not UTF-8' : writerProblem(text);
  return { code: 'INVALID_WRITER', message: `source ${shown(source)} is no writer: ${problem}` };
}

/** The number that `bytes` write in decimal, from 1 to 2^53-1 without leading zeros, or undefined. */
export function readNumber(bytes: Uint8Array): number | undefined {
  const { length } = bytes;
  if (length === 0 || length > 16 || bytes[0] === 0x30) return undefined;
  let value = 0;
  for (let at = 0; at < length; at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** Why `bytes` are no number, for bytes that are none. */
export function numberRefusal(name: 'macpsequence' | 'macpepoch', bytes: Uint8Array | undefined): Refusal {
  if (bytes === undefined) return missing(name);
  return {
    code: name === 'macpepoch' ? 'INVALID_EPOCH' : 'INVALID_SEQUENCE',
    message: `${name} ${shown(bytes)} is not a decimal number from 1 to 2^53-1 without leading zeros`,
  };
}

const slash = 0x2f;

/** True when `id` is `subject/epoch/last`: compared byte by byte, because nobody needs the id as a text. */
export function isCommandId(id: Uint8Array, subject: Uint8Array, epoch: Uint8Array, last: Uint8Array): boolean {
  const epochAt = subject.length + 1;
  const lastAt = epochAt + epoch.length + 1;
  if (id.length !== lastAt + last.length || id[epochAt - 1] !== slash || id[lastAt - 1] !== slash) return false;
  return standsAt(id, 0, subject) && standsAt(id, epochAt, epoch) && standsAt(id, lastAt, last);
}

function standsAt(bytes: Uint8Array, start: number, part: Uint8Array): boolean {
  const { length } = part;
  for (let at = 0; at < length; at += 1) if (bytes[start + at] !== part[at]) return false;
  return true;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The UUID that `bytes` write (RFC 9562, any version, either case), or undefined. */
export function readUuid(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 36) return undefined;
  const text = asBuffer(bytes).toString('latin1');
  return uuid.test(text) ? text : undefined;
}

/** The media type of a `content-type`, without parameters and in lower case (RFC 9110, 8.3.1). */
export function mediaType(contentType: Uint8Array): string {
  const text = asBuffer(contentType).toString('latin1');
  const end = text.indexOf(';');
  return (end < 0 ? text : text.slice(0, end)).trim().toLowerCase();
}

const jsonType = Buffer.from('application/json', 'latin1');

/** True for `application/json`, whatever parameters follow: the data itself must be UTF-8 in any case. */
export function isJsonType(contentType: Uint8Array): boolean {
  return sameBytes(contentType, jsonType) || mediaType(contentType) === 'application/json';
}

export function missing(name: string): Refusal {
  return { code: 'MISSING_ATTRIBUTE', message: `the attribute ${name} is absent` };
}
