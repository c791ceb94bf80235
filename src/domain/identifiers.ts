import type { Brand } from './brand.ts';
import { PersistenceError } from './errors.ts';

/** Names one MACP session; storage-safe by upstream's `is_storage_safe_session_id`. */
export type SessionId = Brand<string, 'SessionId'>;
/** Names one incarnation of whoever numbers a session's commands: a URI-reference, fresh at every start. */
export type Writer = Brand<string, 'Writer'>;
/** The number of a writer's reign: 1 to 2^53-1. A higher epoch fences all lower ones. 0 stands for "no reign yet". */
export type Epoch = Brand<number, 'Epoch'>;
/** The number of a command within its session: 1 to 2^53-1 without holes. 0 stands for "none yet". */
export type Sequence = Brand<number, 'Sequence'>;
/** The number of a log entry within a session's log, from 0. */
export type Ordinal = Brand<number, 'Ordinal'>;

export const noEpoch = 0 as Epoch;
export const noSequence = 0 as Sequence;

const maximumSessionIdBytes = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is one of the characters that the rule excludes
const unsafeCharacters = /[/\\\u0000]/;

/**
 * Why `text` is not a storage-safe session id, or undefined when it is one. The rule is upstream's
 * `is_storage_safe_session_id` (macp-storage 0.13.0), nothing narrower: not empty, at most 255 bytes of UTF-8,
 * no `/`, `\` or NUL, neither `.` nor `..`.
 */
export function sessionIdProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text === '.' || text === '..') return `it is "${text}"`;
  if (unsafeCharacters.test(text)) return 'it contains "/", "\\" or NUL';
  // A UTF-16 unit takes at most three bytes, so short ids need no byte count.
  if (text.length * 3 > maximumSessionIdBytes && utf8Length(text) > maximumSessionIdBytes) {
    return `it is longer than ${maximumSessionIdBytes} bytes`;
  }
  if (!text.isWellFormed()) return 'it holds a lone surrogate';
  return undefined;
}

/** `text` as a session id. Throws `INVALID_SESSION_ID`. */
export function parseSessionId(text: string): SessionId {
  const problem = sessionIdProblem(text);
  if (problem !== undefined) {
    throw new PersistenceError('INVALID_SESSION_ID', `session id ${JSON.stringify(text)} is not usable: ${problem}`);
  }
  return text as SessionId;
}

// RFC 3986, appendix A, without resolving anything: the characters a URI-reference may hold, percent signs paired.
const uriReference = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
const maximumWriterLength = 1024;

/** Why `text` is not a writer's name (RFC 3986 URI-reference, at most 1,024 characters), or undefined when it is. */
export function writerProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > maximumWriterLength) return `it is longer than ${maximumWriterLength} characters`;
  if (!uriReference.test(text)) return 'it is not a URI-reference (RFC 3986)';
  return undefined;
}

/** `text` as a writer. Throws `INVALID_WRITER`. */
export function parseWriter(text: string): Writer {
  const problem = writerProblem(text);
  if (problem !== undefined) {
    throw new PersistenceError('INVALID_WRITER', `writer ${JSON.stringify(text)} is not usable: ${problem}`);
  }
  return text as Writer;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
