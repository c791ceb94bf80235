import type { FastifyReply } from 'fastify';
import { type ErrorCode, errorDefinitions, isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { statusOf } from './status.ts';

export const problemMediaType = 'application/problem+json';

/** What an answer says beyond what follows from its error. */
export interface ProblemExtras {
  /** Another status than the code's own. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Further members of the document. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

/** A problem ready to be sent. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The document of RFC 9457 as JSON text. */
  readonly body: Buffer;
}

/** An error that is answered with more than its code and message. */
export class ProblemError extends PersistenceError {
  readonly extras: ProblemExtras;

  constructor(code: ErrorCode, message: string, extras: ProblemExtras) {
    super(code, message);
    this.extras = extras;
  }
}

/** The problem that tells of `error`. */
export function problemOf(error: PersistenceError): Problem {
  const extras = error instanceof ProblemError ? error.extras : {};
  const status = extras.status ?? statusOf[error.code];
  const document = {
    type: `urn:macp-persist:error:${error.code}`,
    title: errorDefinitions[error.code].meaning,
    status,
    detail: detailOf(error),
    code: error.code,
    retryable: error.retryable,
    ...listsOf(error),
    ...extras.members,
  };
  const body = Buffer.from(JSON.stringify(document), 'utf8');
  return { status, body, headers: { ...standardHeaders(status), ...extras.headers } };
}

/** Answers with the problem that tells of `error`. */
export function sendProblem(reply: FastifyReply, error: PersistenceError): FastifyReply {
  const { status, headers, body } = problemOf(error);
  return reply.code(status).headers(headers).type(problemMediaType).send(body);
}

/** A defect may quote anything that went through the program, so only its log tells of it. */
function detailOf(error: PersistenceError): string {
  return error.code === 'UNEXPECTED' ? 'the service failed at this; its log says where' : error.message;
}

/** What an error that concerns several events says of each. */
function listsOf(error: PersistenceError): Readonly<Record<string, unknown>> {
  const lists: Record<string, unknown> = {};
  for (const name of ['errors', 'results'] as const) {
    const list: unknown = Reflect.get(error, name);
    if (Array.isArray(list)) lists[name] = list;
  }
  return lists;
}

function standardHeaders(status: number): Readonly<Record<string, string>> {
  if (status === 429 || status === 503) return { 'retry-after': '1' };
  return status === 401 ? { 'www-authenticate': 'Bearer realm="macp-persist"' } : {};
}

/** Members of the errors that Fastify throws, as far as they are used here. */
interface FrameworkError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly validation?: readonly {
    readonly instancePath: string;
    readonly keyword: string;
    readonly message?: string;
    readonly params: Readonly<Record<string, unknown>>;
  }[];
  readonly validationContext?: string;
}

// What parsers say may quote the body: only these sentences are passed on.
const frameworkProblems: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_MEDIA_TYPE',
    'the body is not of a content type that is taken here: commands are application/cloudevents+json or application/cloudevents-batch+json; /openapi.json tells what each path takes',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['REQUEST_TOO_LARGE', 'the body is larger than this service takes'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INVALID_REQUEST', 'the body is empty where a JSON document is due'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INVALID_REQUEST', 'the body is not a JSON document'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_REQUEST', 'the body is not as long as its content-length says'],
  FST_ERR_BAD_URL: ['INVALID_REQUEST', 'the path is not validly percent-encoded UTF-8'],
  FST_ERR_MAX_PARAM_LENGTH: ['INVALID_SESSION_ID', 'a part of the path is longer than any session id'],
};

/** Whatever was thrown while a request was handled. What nobody classified is `UNEXPECTED`, with the cause kept. */
export function toRequestError(thrown: unknown): PersistenceError {
  if (isPersistenceError(thrown)) return thrown;
  const error: FrameworkError = typeof thrown === 'object' && thrown !== null ? thrown : {};
  if (error.validation !== undefined) return new PersistenceError('INVALID_REQUEST', validationText(error));
  const known = typeof error.code === 'string' ? frameworkProblems[error.code] : undefined;
  if (known !== undefined) return new PersistenceError(...known);
  const isOfTheClient = typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500;
  if (isOfTheClient) return new PersistenceError('INVALID_REQUEST', 'the request is not one that can be read');
  return new PersistenceError('UNEXPECTED', 'unexpected failure', { cause: thrown });
}

function validationText({ validation, validationContext }: FrameworkError): string {
  const [first] = validation ?? [];
  const place = validationContext === 'body' ? 'the body' : 'a parameter';
  if (first === undefined) return `${place} is not valid`;
  if (first.keyword === 'additionalProperties') {
    return `${JSON.stringify(first.params['additionalProperty'])} is nothing that ${validationContext === 'body' ? 'the body may hold' : 'can be asked for here'}`;
  }
  const name = first.instancePath.slice(1);
  const allowed = first.keyword === 'enum' ? `: ${JSON.stringify(first.params['allowedValues'])}` : '';
  return `${name === '' ? place : name} ${first.message ?? 'is not valid'}${allowed}`;
}
