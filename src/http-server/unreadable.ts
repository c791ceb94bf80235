import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type Problem, ProblemError, problemMediaType, problemOf } from './problem.ts';
import { safetyHeaders } from './safety-headers.ts';

/**
 * Answers what Node could not read as a request, and closes its connection: for the event `clientError` of a server.
 * Where that would be taken for the answer to a request before it, or for a part of one, the connection is only closed.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const problem = problemOf(unreadable(error.code));
  const { status, body } = problem;
  const fields = { ...headersOf(problem), connection: 'close' };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`, 'latin1');
  socket.end(Buffer.concat([head, body]), () => socket.destroy());
}

/** Answers a request that expects something of the service which HTTP does not know. */
export function answerExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const error = new ProblemError('INVALID_REQUEST', 'only 100-continue can be expected', { status: 417 });
  const problem = problemOf(error);
  response.writeHead(problem.status, headersOf(problem)).end(problem.body);
}

function headersOf({ headers, body }: Problem): Readonly<Record<string, string>> {
  return { ...safetyHeaders, ...headers, 'content-type': problemMediaType, 'content-length': `${body.length}` };
}

function unreadable(code: string | undefined): ProblemError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ProblemError('REQUEST_TOO_LARGE', 'the headers are larger than 16 KiB', { status: 431 });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ProblemError('REQUEST_TOO_LARGE', 'the chunks carry too much besides the body', {});
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProblemError('INVALID_REQUEST', 'the request did not come whole in time', { status: 408 });
    default:
      return new ProblemError('INVALID_REQUEST', 'what came is not a request of HTTP/1.1', {});
  }
}

/** Node keeps the answer that is being given on the socket, and leaves it to this handler to look. */
function isAnswering(socket: Socket): boolean {
  const response: unknown = Reflect.get(socket, '_httpMessage');
  return response instanceof ServerResponse && (response.headersSent || response.req.complete);
}
