import {
  type ErrorCode,
  errorDefinitions,
  isPersistenceError,
  PersistenceError,
  toPersistenceError,
} from '../domain/errors.ts';

/** What a service answered instead of doing what it was asked for. */
export class Problem extends PersistenceError {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Members of the answer besides those of RFC 9457, such as `errors` and `results`. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, status: number, members: Readonly<Record<string, unknown>>) {
    super(code, message);
    this.status = status;
    this.members = members;
  }
}

/** What whoever stands in front of a service means when it answers without a code of ours. */
const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  413: 'REQUEST_TOO_LARGE',
  429: 'TOO_MANY_REQUESTS',
  502: 'SERVICE_UNAVAILABLE',
  503: 'SERVICE_UNAVAILABLE',
  504: 'SERVICE_UNAVAILABLE',
};

const mostShown = 300;
const longestProblem = 8 * 1024 * 1024;

/**
 * An answer that is no success, as the error that the service meant: of the same code and message where it is one of
 * ours (RFC 9457 problem details with a `code`). What has another code, or none, is `UNEXPECTED` with what was
 * answered, unless the status says that a proxy in between refused or could not reach the service.
 */
export async function problemOf(response: Response, url: URL): Promise<Problem> {
  const text = await textOf(response);
  const members = parsed(text);
  const { code, detail, ...others } = members;
  const at = `${url.origin}${url.pathname}`;
  if (isCode(code)) {
    const message = typeof detail === 'string' ? detail : `${at} answered ${code}`;
    return new Problem(code, message, response.status, others);
  }
  const location = response.headers.get('location');
  const elsewhere = location === null ? '' : `, and points to ${location}`;
  const shown = text === '' ? 'with nothing else' : JSON.stringify(text.slice(0, mostShown));
  const message = `${at} answered ${response.status} ${shown}${elsewhere}`;
  return new Problem(codesByStatus[response.status] ?? 'UNEXPECTED', message, response.status, members);
}

/**
 * What was thrown while a request was sent or its answer read, as an error of ours. `ABORTED` when the request was
 * given up; `SERVICE_UNAVAILABLE` when the service could not be reached or the answer broke off: what was asked for
 * may have been done or not.
 */
export function failureOf(thrown: unknown, service: URL, aborted: boolean): PersistenceError {
  if (isPersistenceError(thrown)) return thrown;
  if (aborted) return new PersistenceError('ABORTED', `the request to ${service.href} was given up`, { cause: thrown });
  // Whatever goes wrong on the network, Node's fetch throws a TypeError whose cause is the reason.
  if (!(thrown instanceof TypeError) || thrown.cause === undefined) return toPersistenceError(thrown);
  const message = `the service at ${service.href} does not answer, or broke off: ${reasonOf(thrown.cause)}`;
  return new PersistenceError('SERVICE_UNAVAILABLE', message, { cause: thrown });
}

/** An answer that ended before it was whole, although the connection ended in order. */
export function cutShort(): PersistenceError {
  return new PersistenceError('SERVICE_UNAVAILABLE', 'the answer of the service was cut short');
}

function reasonOf(cause: unknown): string {
  // Both addresses of a name may have been tried: then there is a reason for each, and no message.
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join(', ');
  return cause instanceof Error ? cause.message : String(cause);
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorDefinitions, code);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

async function textOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > longestProblem) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
