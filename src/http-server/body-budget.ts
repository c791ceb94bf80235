import type { FastifyReply, FastifyRequest } from 'fastify';
import { PersistenceError } from '../domain/errors.ts';

/** Admits requests as long as their bodies together take no more than so many bytes. */
export class BodyBudget {
  readonly #bytes: number;
  #taken = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /**
   * A hook that admits a request whose body is at most `bodyLimit` bytes, until it is answered. Throws
   * `REQUEST_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE` for compressed bodies and texts other than UTF-8, or
   * `TOO_MANY_REQUESTS` when there is no room at present, `ABORTED` when the client has gone away meanwhile. A body of
   * unknown length counts as the largest possible.
   */
  admission(bodyLimit: number): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
    return async (request, reply) => {
      checkCoding(request);
      // It closes only once: who comes too late for that would never give the room back.
      if (reply.raw.destroyed) throw new PersistenceError('ABORTED', 'the client has gone away');
      const bytes = bytesOf(request, bodyLimit);
      if (bytes > bodyLimit) {
        throw new PersistenceError('REQUEST_TOO_LARGE', `the body has ${bytes} bytes; at most ${bodyLimit} are taken`);
      }
      if (this.#taken + bytes > this.#bytes) {
        const message = 'the bodies that are being worked on leave no room for this one';
        throw new PersistenceError('TOO_MANY_REQUESTS', message);
      }
      this.#taken += bytes;
      reply.raw.once('close', () => {
        this.#taken -= bytes;
      });
    };
  }
}

function bytesOf({ headers }: FastifyRequest, bodyLimit: number): number {
  if (headers['transfer-encoding'] !== undefined) return bodyLimit;
  return Number(headers['content-length'] ?? 0);
}

const otherCharset = /;\s*charset\s*=\s*"?(?!utf-8"?\s*(?:;|$))/i;

function checkCoding({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding !== 'identity') {
    throw new PersistenceError('UNSUPPORTED_MEDIA_TYPE', 'a body must come as it is, without a content-encoding');
  }
  if (otherCharset.test(headers['content-type'] ?? '')) {
    throw new PersistenceError('UNSUPPORTED_MEDIA_TYPE', 'a text must come in UTF-8');
  }
}
