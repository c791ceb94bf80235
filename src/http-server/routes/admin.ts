import type { FastifyInstance } from 'fastify';
import { parseSessionId } from '../../domain/identifiers.ts';
import { type DeadLetterReason, deadLetterReasons, type FiledId } from '../../domain/plan.ts';
import type { DeadLetterState } from '../../ports/service.ts';
import { describeOperation, jsonAnswer, rawAnswer, storeErrors } from '../answers.ts';
import { linesMediaType, sendPages } from '../lines.ts';
import { parameters, untilGone, wholeNumber } from '../parameters.ts';
import type { RouteContext } from './context.ts';

interface DeadLettersQuery {
  readonly session?: string;
  readonly reason?: DeadLetterReason;
  readonly state?: DeadLetterState;
  readonly after?: string;
  readonly limit: number;
}

const sessionFilter = { type: 'string', description: 'Session id' } as const;

/** Looking after a system: what it refused, how it is, copies of it. */
export function adminRoutes(app: FastifyInstance, context: RouteContext): void {
  const { service, access, tellFailure } = context;
  const onRequest = [...access.admin];

  app.get<{ Querystring: DeadLettersQuery }>('/v1/admin/dead-letters', {
    schema: {
      querystring: parameters({
        session: sessionFilter,
        reason: { type: 'string', enum: [...deadLetterReasons], description: 'Only those of this reason' },
        state: { type: 'string', enum: ['open', 'resolved', 'kept'], description: 'Only those in this state' },
        after: { type: 'string', description: 'The next of the page before' },
        limit: wholeNumber('Most dead letters to answer with', { minimum: 1, maximum: 1_000, default: 100 }),
      }),
      ...describeOperation({
        id: 'listDeadLetters',
        tag: 'admin',
        summary: 'Dead letters, page by page',
        scope: 'admin',
        answers: { 200: jsonAnswer('A page of dead letters', { $ref: 'DeadLetterPage#' }) },
        errors: [...storeErrors, 'INVALID_SESSION_ID'],
      }),
    },
    onRequest,
    handler: ({ query: { session, ...query } }) =>
      service.listDeadLetters({ ...query, session: session === undefined ? undefined : parseSessionId(session) }),
  });

  app.get<{ Params: { readonly filed: string }; Querystring: { readonly session?: string } }>(
    '/v1/admin/dead-letters/:filed',
    {
      schema: {
        params: {
          type: 'object',
          properties: { filed: { type: 'string', minLength: 1, description: 'Id of the dead letter' } },
          required: ['filed'],
        },
        querystring: parameters({ session: sessionFilter }),
        ...describeOperation({
          id: 'showDeadLetter',
          tag: 'admin',
          summary: 'A dead letter whole, and what it takes to free its session',
          description: 'Found faster where the session is named.',
          scope: 'admin',
          answers: { 200: jsonAnswer('The dead letter', { $ref: 'DeadLetter#' }) },
          errors: [...storeErrors, 'INVALID_SESSION_ID', 'NOT_STORED'],
        }),
      },
      onRequest,
      handler: ({ params, query: { session } }) =>
        service.showDeadLetter(params.filed as FiledId, session === undefined ? undefined : parseSessionId(session)),
    },
  );

  app.get('/v1/admin/status', {
    schema: describeOperation({
      id: 'status',
      tag: 'admin',
      summary: 'What runs, how far it is, and what is held up',
      scope: 'admin',
      answers: { 200: jsonAnswer('The status', { $ref: 'ServiceStatus#' }) },
      errors: [...storeErrors, 'QUEUE_UNAVAILABLE'],
    }),
    onRequest,
    handler: () => service.status(),
  });

  app.get('/v1/admin/dump', {
    schema: describeOperation({
      id: 'dump',
      tag: 'admin',
      summary: 'The canonical dump of every session',
      description: 'An answer that fails midway breaks the connection off.',
      scope: 'admin',
      answers: { 200: rawAnswer('Lines of JSON', linesMediaType) },
      errors: storeErrors,
    }),
    onRequest,
    handler: (request, reply) => {
      const encode = (part: string): Buffer => Buffer.from(part, 'utf8');
      return sendPages(request, reply, { pages: service.dump(untilGone(reply)), encode, tellFailure });
    },
  });
}
