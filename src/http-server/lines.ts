import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TellFailure } from './failure-log.ts';
import { ProblemError } from './problem.ts';

export const linesMediaType = 'application/x-ndjson';

/** What is read page by page, and how a page becomes bytes. */
export interface Pages<Page> {
  readonly pages: AsyncIterable<Page>;
  readonly encode: (page: Page) => Buffer;
  readonly tellFailure: TellFailure;
}

/**
 * Answers with `pages`, each turned into bytes by `encode`. What fits into the first page is sent whole, with its
 * length; the rest is read only as fast as the client takes it. A failure before the first byte is thrown; a later one
 * destroys the connection, so that nobody takes half an answer for a whole one: HTTP/1.0 cannot tell them apart and gets
 * a short answer or none. `pages` is closed in any case.
 */
export async function sendPages<Page>(
  request: FastifyRequest,
  reply: FastifyReply,
  { pages, encode, tellFailure }: Pages<Page>,
): Promise<FastifyReply> {
  const iterator = pages[Symbol.asyncIterator]();
  reply.type(linesMediaType);
  const first = await iterator.next();
  if (first.done === true) return reply.send(Buffer.alloc(0));
  const second = await iterator.next();
  if (second.done === true) return reply.send(encode(first.value));
  if (request.raw.httpVersion === '1.0') {
    await iterator.return?.();
    const message = 'an answer of this length needs HTTP/1.1: in 1.0 it could end early without anybody noticing';
    throw new ProblemError('INVALID_REQUEST', message, { status: 505 });
  }
  // Nobody would read it: a stream that is thrown away unread does not close what it stands on.
  if (request.method === 'HEAD' || reply.raw.destroyed) {
    await iterator.return?.();
    return reply.send(Readable.from([]));
  }
  const fail = (error: unknown): void => void tellFailure(request, error);
  const stream = byteStream(encodedPages([first.value, second.value], iterator, encode));
  // A stream whose reader has gone before it began does not begin, and so does not end either what it reads from.
  stream.once('error', fail).once('close', () => iterator.return?.().catch(fail));
  return reply.send(stream);
}

/** A stream that reads one part ahead of its reader at most, and ends `parts` when its reader goes away. */
export function byteStream(parts: AsyncIterable<Buffer>): Readable {
  return Readable.from(parts, { objectMode: false, highWaterMark: 1 });
}

async function* encodedPages<Page>(
  begun: readonly Page[],
  rest: AsyncIterator<Page>,
  encode: (page: Page) => Buffer,
): AsyncGenerator<Buffer> {
  try {
    for (const page of begun) yield encode(page);
    for (;;) {
      const next = await rest.next();
      if (next.done === true) return;
      yield encode(next.value);
    }
  } finally {
    await rest.return?.();
  }
}
