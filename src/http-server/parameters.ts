import type { FastifyReply } from 'fastify';
import { PersistenceError } from '../domain/errors.ts';
import { type Epoch, parseSessionId, parseWriter, type Sequence, type SessionId } from '../domain/identifiers.ts';
import type { Waiting } from '../ports/service.ts';

/** JSON Schema of one parameter. */
export interface ParameterSchema {
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
  readonly [keyword: string]: unknown;
}

/** A whole number from 0, unless another `minimum` is given, to 2^53-1. */
export function wholeNumber(description: string, more: Readonly<Record<string, unknown>> = {}): ParameterSchema {
  return { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description, ...more };
}

/** Parameters of which none but the given ones may stand. */
export function parameters(properties: Readonly<Record<string, ParameterSchema>>): object {
  return { type: 'object', properties, additionalProperties: false };
}

export interface SessionParameters {
  readonly id: string;
}

export const sessionParameters = {
  type: 'object',
  properties: {
    id: {
      type: 'string',
      description: 'Session id, percent-encoded: 1 to 255 bytes without "/", "\\" and NUL, not "." or ".."',
      examples: ['065d8dd6-08ad-74d1-96af-8128957bae70'],
    },
  },
  required: ['id'],
};

export interface WaitingQuery {
  readonly min_sequence?: number;
  readonly claim_epoch?: number;
  readonly claim_writer?: string;
  readonly after_version?: number;
  readonly timeout_ms: number;
}

export const timeoutParameter = wholeNumber('Milliseconds to wait at most', { maximum: 60_000, default: 10_000 });

export const waitingParameters: Readonly<Record<string, ParameterSchema>> = {
  min_sequence: wholeNumber('Wait until this number of the session is applied or skipped'),
  claim_epoch: wholeNumber('Wait until the claim of this epoch by claim_writer is applied', { minimum: 1 }),
  claim_writer: { type: 'string', minLength: 1, description: 'Writer of the claim to wait for; with claim_epoch' },
  after_version: wholeNumber("Wait until the version of the session's cursor is above this one"),
  timeout_ms: timeoutParameter,
};

/** What the parameters say to wait for; undefined for nothing. Throws `INVALID_REQUEST` or `INVALID_WRITER`. */
export function waitingOf(query: WaitingQuery): Waiting | undefined {
  const { min_sequence: sequence, claim_epoch: epoch, claim_writer: writer, after_version: version } = query;
  if ((epoch === undefined) !== (writer === undefined)) {
    throw new PersistenceError('INVALID_REQUEST', 'claim_epoch and claim_writer belong together');
  }
  if (sequence === undefined && epoch === undefined && version === undefined) return undefined;
  return {
    sequence: sequence as Sequence | undefined,
    claim:
      epoch === undefined || writer === undefined ? undefined : { epoch: epoch as Epoch, writer: parseWriter(writer) },
    version,
    timeout: query.timeout_ms,
  };
}

/** The session that a path names. Throws `INVALID_SESSION_ID`. */
export function sessionOf({ id }: SessionParameters): SessionId {
  return parseSessionId(id);
}

const decimal = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * A function that turns the texts of the integer and boolean parameters of `schema` into their values. Numbers are
 * taken in strict decimals only; what is none stays a text, and the schema refuses it.
 */
export function queryReader(schema: unknown): ((query: Record<string, unknown>) => void) | undefined {
  const { properties } = schema as { readonly properties?: Readonly<Record<string, ParameterSchema>> };
  const typed = Object.entries(properties ?? {}).filter(([, { type }]) => type !== 'string');
  if (typed.length === 0) return undefined;
  return (query) => {
    for (const [name, { type }] of typed) {
      const text = query[name];
      if (typeof text !== 'string') continue;
      if (type === 'integer' && decimal.test(text)) query[name] = Number(text);
      if (type === 'boolean' && (text === 'true' || text === 'false')) query[name] = text === 'true';
    }
  };
}

/** Aborted once the client has gone away before it was answered, or `ending` is. */
export function untilGone(reply: FastifyReply, ending?: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  if (ending?.aborted || reply.raw.destroyed) {
    abort();
    return gone.signal;
  }
  ending?.addEventListener('abort', abort, { once: true });
  reply.raw.once('close', () => {
    ending?.removeEventListener('abort', abort);
    // Whoever was answered waits for nothing any more, and an abort costs the trace of an error.
    if (!reply.raw.writableFinished) abort();
  });
  return gone.signal;
}
