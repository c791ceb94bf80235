import type { FastifyReply } from 'fastify';
import type { ErrorCode } from '../domain/errors.ts';
import type { PublishResult } from '../ports/service.ts';
import { jsonAnswer, storeErrors } from './answers.ts';
import { ProblemError } from './problem.ts';

/** Codes of everything that publishes. */
export const publishErrors: readonly ErrorCode[] = [
  ...storeErrors,
  'QUEUE_FULL',
  'QUEUE_UNAVAILABLE',
  'QUEUE_CHANGING',
  'QUEUE_CHANGED',
  'DISK_FULL',
  'DEAD_LETTERED',
  'WRITER_FENCED',
  'NOT_SUPPORTED',
];

const results = {
  type: 'object',
  properties: { results: { type: 'array', items: { $ref: 'PublishResult#' } } },
  required: ['results'],
};

/** How everything that publishes is answered. */
export const resultAnswers = {
  200: jsonAnswer('All are applied', results),
  202: jsonAnswer('All are durable; what became of some of them is not known yet', results),
};

/** How an operator's decision is answered. */
export const decisionAnswers = {
  200: jsonAnswer('What became of the decision', { $ref: 'PublishResult#' }),
  202: jsonAnswer('The decision is durable; what became of it is not known yet', { $ref: 'PublishResult#' }),
};

/** Answers with what became of a decision. */
export function sendDecision(reply: FastifyReply, result: PublishResult): FastifyReply {
  return reply.code(result.outcome === 'durable' ? 202 : 200).send(result);
}

/** Answers with what became of the commands. Throws `DEAD_LETTERED`, with all results, when one was not applied. */
export function sendResults(reply: FastifyReply, results: readonly PublishResult[]): FastifyReply {
  const refused = results.filter(({ outcome }) => outcome === 'dead letter');
  if (refused.length > 0) {
    const message = `${refused.length} of ${results.length} became dead letters instead of being applied`;
    throw new ProblemError('DEAD_LETTERED', message, { members: { results } });
  }
  return reply.code(results.every(({ outcome }) => outcome === 'applied') ? 200 : 202).send({ results });
}
