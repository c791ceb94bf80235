import { type ErrorCode, errorDefinitions } from '../domain/errors.ts';
import type { Scope } from './known-tokens.ts';
import { problemMediaType } from './problem.ts';
import { statusOf } from './status.ts';

/** JSON Schema of the documents that tell of errors (RFC 9457). */
export const problemSchema = {
  $id: 'Problem',
  type: 'object',
  description: 'Why the request failed, as problem details (RFC 9457)',
  properties: {
    type: { type: 'string', description: 'urn:macp-persist:error:CODE' },
    title: { type: 'string', description: 'What the code means' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What was wrong this time' },
    code: { type: 'string', description: 'Name of the error, for programs' },
    retryable: { type: 'boolean', description: 'Whether the very same request can succeed later' },
    errors: {
      type: 'array',
      description: 'Events that cannot be sent, by their index in the request',
      items: {
        type: 'object',
        properties: { index: { type: 'integer' }, code: { type: 'string' }, detail: { type: 'string' } },
        required: ['index', 'code', 'detail'],
      },
    },
    results: { type: 'array', description: 'What became of each event', items: { $ref: 'PublishResult#' } },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'retryable'],
  examples: [
    {
      type: 'urn:macp-persist:error:SESSION_NOT_FOUND',
      title: 'no such session exists in the store',
      status: 404,
      detail: 'there is no session "hello"',
      code: 'SESSION_NOT_FOUND',
      retryable: false,
    },
  ],
} as const;

/** What an operation is, as far as its description needs it. */
export interface Operation {
  readonly id: string;
  readonly tag: 'sessions' | 'commands' | 'admin' | 'operations';
  readonly summary: string;
  readonly description?: string;
  /** The scope that it needs; undefined where no token is needed. */
  readonly scope: Scope | undefined;
  /** Bodies by media type that are taken as bytes: described here, checked by whoever reads them. */
  readonly body?: Readonly<Record<string, { readonly schema: object }>>;
  /** Answers by status, without the errors. */
  readonly answers: Readonly<Record<number, object>>;
  /** Codes that it can fail with, beyond those of every operation. */
  readonly errors?: readonly ErrorCode[];
}

const everywhere: readonly ErrorCode[] = [
  'INVALID_REQUEST',
  'FORBIDDEN',
  'TOO_MANY_REQUESTS',
  'SERVICE_UNAVAILABLE',
  'UNEXPECTED',
];
/** Codes of everything that looks into the store. */
export const storeErrors: readonly ErrorCode[] = ['STORE_UNAVAILABLE'];
/** Codes of everything that reads one session. */
export const sessionErrors: readonly ErrorCode[] = [
  ...storeErrors,
  'INVALID_SESSION_ID',
  'INVALID_WRITER',
  'SESSION_NOT_FOUND',
  'NOT_YET_APPLIED',
  'WRITER_FENCED',
];
/** Codes of everything that has a body. */
export const bodyErrors: readonly ErrorCode[] = ['REQUEST_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** The members of a route's schema that describe it. */
export function describeOperation(operation: Operation): object {
  const { id, tag, summary, description, scope, body, answers } = operation;
  const codes = new Set<ErrorCode>([...everywhere, ...(operation.errors ?? [])]);
  if (scope !== undefined) codes.add('UNAUTHENTICATED');
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, scope === undefined ? 'Needs no token.' : `Needs the scope \`${scope}\`.`]
      .filter((text) => text !== undefined)
      .join(' '),
    security: scope === undefined ? [] : [{ bearer: [scope] }],
    ...(body === undefined ? {} : { bytes: { content: body } }),
    response: { ...answers, ...problemAnswers([...codes]) },
  };
}

/** An answer with a JSON document; `schema` may refer to a shared one. */
export function jsonAnswer(description: string, schema: object): object {
  return { description, content: { 'application/json': { schema } } };
}

/** An answer with bytes of another media type. */
export function rawAnswer(description: string, mediaType: string, schema: object = { type: 'string' }): object {
  return { description, content: { [mediaType]: { schema } } };
}

function problemAnswers(codes: readonly ErrorCode[]): Readonly<Record<number, object>> {
  const answers: Record<number, object> = {};
  for (const code of codes) {
    const status = statusOf[code];
    const same = codes.filter((other) => statusOf[other] === status);
    const description = same.map((other) => `${other}: ${errorDefinitions[other].meaning}`).join('. ');
    const content = { [problemMediaType]: { schema: { $ref: 'Problem#' } } };
    answers[status] = { description, content, ...headersOf(status) };
  }
  return answers;
}

function headersOf(status: number): object {
  if (status === 401) return header('WWW-Authenticate', 'How to authenticate');
  if (status === 429 || status === 503) return header('Retry-After', 'Seconds after which to try again');
  return {};
}

function header(name: string, description: string): object {
  return { headers: { [name]: { type: 'string', description } } };
}
