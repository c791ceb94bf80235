import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { PersistenceError } from '../domain/errors.ts';
import { toRequestError } from './problem.ts';
import { statusOf } from './status.ts';

/** Classifies what was thrown for a request, and tells of it where it is no fault of the client. */
export type TellFailure = (request: FastifyRequest, thrown: unknown) => PersistenceError;

/**
 * Failures as log lines. Messages are left out, as they may quote what went through the service: the code and the
 * places in the program say what is needed.
 */
export function failureLog(logger: Logger): TellFailure {
  return (request, thrown) => {
    const error = toRequestError(thrown);
    if (statusOf[error.code] === 500 && error.code !== 'ABORTED') {
      const fields = { code: error.code, method: request.method, route: request.routeOptions.url };
      logger.error({ ...fields, at: placesOf(error.cause ?? error) }, 'a request failed');
    }
    return error;
  };
}

function placesOf(thrown: unknown): readonly string[] {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '));
}
