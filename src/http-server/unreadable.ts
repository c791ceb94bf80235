import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ProblemError, problemMediaType, problemOf } from './problem.ts';
import { safetyHeaders } from './safety-headers.ts';

/**
 * Answers what Node could not read as a request, and closes its connection: for the event `clientError` of a server.
 * A connection on which an answer has begun already is only closed.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegun(socket)) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = problemOf(unreadable(error.code));
  const fields = {
    ...safetyHeaders,
    ...headers,
    'content-type': problemMediaType,
    'content-length': `${body.length}`,
    connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`, 'latin1');
  socket.end(Buffer.concat([head, body]), () => socket.destroy());
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
function hasBegun(socket: Socket): boolean {
  const response: unknown = Reflect.get(socket, '_httpMessage');
  return typeof response === 'object' && response !== null && Reflect.get(response, '_headerSent') === true;
}
