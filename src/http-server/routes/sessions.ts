import type { FastifyInstance } from 'fastify';
import { cursorToJson } from '../../domain/encoding/cursor-json.ts';
import { parseSessionId } from '../../domain/identifiers.ts';
import type { Service } from '../../ports/service.ts';
import { describeOperation, jsonAnswer, rawAnswer, sessionErrors, storeErrors } from '../answers.ts';
import {
  parameters,
  type SessionParameters,
  sessionOf,
  sessionParameters,
  untilGone,
  type WaitingQuery,
  waitingOf,
  waitingParameters,
  wholeNumber,
} from '../parameters.ts';
import type { RouteContext } from './context.ts';

interface SessionsQuery {
  readonly limit: number;
  readonly after?: string;
  readonly state?: string;
  readonly mode?: string;
  readonly blocked?: boolean;
}

interface SessionRead {
  readonly Params: SessionParameters;
  readonly Querystring: WaitingQuery;
}

/** Reads of sessions that are answered in one piece. */
export function sessionRoutes(app: FastifyInstance, { service, access }: RouteContext): void {
  const onRequest = [...access.read];

  app.get<{ Querystring: SessionsQuery }>('/v1/sessions', {
    schema: {
      querystring: parameters({
        limit: wholeNumber('Most sessions to answer with', { minimum: 1, maximum: 1_000, default: 100 }),
        after: { type: 'string', description: 'Only ids that sort after this one' },
        state: { type: 'string', description: 'Only sessions whose snapshot has this state', examples: ['Resolved'] },
        mode: { type: 'string', description: 'Only sessions whose snapshot has this mode' },
        blocked: { type: 'boolean', description: 'true: only sessions that take nothing more at present' },
      }),
      ...describeOperation({
        id: 'listSessions',
        tag: 'sessions',
        summary: 'Sessions in the order of their ids, page by page',
        description: 'A page may be shorter than asked for, even empty, while next says that there is more.',
        scope: 'read',
        answers: { 200: jsonAnswer('A page of sessions', { $ref: 'SessionPage#' }) },
        errors: [...storeErrors, 'INVALID_SESSION_ID'],
      }),
    },
    onRequest,
    handler: ({ query: { after, ...query } }) =>
      service.listSessions({ ...query, after: after === undefined ? undefined : parseSessionId(after) }),
  });

  app.get<{ Params: SessionParameters }>('/v1/sessions/:id/summary', {
    schema: {
      params: sessionParameters,
      ...describeOperation({
        id: 'showSession',
        tag: 'sessions',
        summary: 'What is known of a session besides its data, and what it takes to free it',
        scope: 'read',
        answers: { 200: jsonAnswer('The session', { $ref: 'SessionSummary#' }) },
        errors: [...storeErrors, 'INVALID_SESSION_ID', 'SESSION_NOT_FOUND'],
      }),
    },
    onRequest,
    handler: ({ params }) => service.showSession(sessionOf(params)),
  });

  app.get<SessionRead>('/v1/sessions/:id/cursor', {
    schema: {
      params: sessionParameters,
      querystring: parameters(waitingParameters),
      ...describeOperation({
        id: 'readCursor',
        tag: 'sessions',
        summary: 'Where a session stands',
        scope: 'read',
        answers: { 200: jsonAnswer('The cursor', { $ref: 'Cursor#' }) },
        errors: sessionErrors,
      }),
    },
    onRequest,
    handler: async ({ params, query }, reply) => {
      const waiting = waitingOf(query);
      const signal = waiting === undefined ? undefined : untilGone(reply);
      return cursorToJson(await service.cursor(sessionOf(params), waiting, signal));
    },
  });

  documentRoute(app, service, onRequest, documents.snapshot);
  documentRoute(app, service, onRequest, documents.receipt);
  documentRoute(app, service, onRequest, documents.anchor);
}

/** A document of a session, answered with the very bytes that are stored. */
interface StoredDocument {
  readonly read: 'snapshot' | 'receipt' | 'anchor';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly mediaType: string;
  readonly schema: object;
}

const octets = {
  mediaType: 'application/octet-stream',
  schema: { type: 'string', contentMediaType: 'application/octet-stream' },
};

const documents = {
  snapshot: {
    read: 'snapshot',
    path: '/v1/sessions/:id',
    id: 'readSnapshot',
    summary: 'The snapshot of a session, byte for byte as it was stored',
    mediaType: 'application/json',
    schema: { type: 'object', description: 'PersistedSession of macp-runtime' },
  },
  receipt: {
    read: 'receipt',
    path: '/v1/sessions/:id/receipt',
    id: 'readReceipt',
    summary: 'The receipt of a session',
    ...octets,
  },
  anchor: {
    read: 'anchor',
    path: '/v1/sessions/:id/anchor',
    id: 'readAnchor',
    summary: 'The trace anchor of a session',
    ...octets,
  },
} as const satisfies Record<string, StoredDocument>;

function documentRoute(
  app: FastifyInstance,
  service: Service,
  onRequest: RouteContext['access']['read'],
  { read, path, id, summary, mediaType, schema }: StoredDocument,
): void {
  app.get<SessionRead>(path, {
    schema: {
      params: sessionParameters,
      querystring: parameters(waitingParameters),
      ...describeOperation({
        id,
        tag: 'sessions',
        summary,
        scope: 'read',
        answers: { 200: rawAnswer('The stored bytes', mediaType, schema) },
        errors: [...sessionErrors, 'NOT_STORED'],
      }),
    },
    onRequest: [...onRequest],
    handler: async ({ params, query }, reply) => {
      const waiting = waitingOf(query);
      const signal = waiting === undefined ? undefined : untilGone(reply);
      return reply.type(mediaType).send(await service[read](sessionOf(params), waiting, signal));
    },
  });
}
