import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PersistenceError } from '../../domain/errors.ts';
import { joinLines } from '../../domain/joined-lines.ts';
import type { AcceptedEntry } from '../../ports/service.ts';
import { describeOperation, sessionErrors } from '../answers.ts';
import { eventStream, eventStreamMediaType, pointAfter } from '../event-stream.ts';
import { byteStream, linesMediaType, sendPages } from '../lines.ts';
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

interface LogRead {
  readonly Params: SessionParameters;
  readonly Querystring: WaitingQuery & {
    readonly from?: number;
    readonly to?: number;
    readonly limit?: number;
    readonly follow?: boolean;
    readonly generation?: number;
  };
}

interface IncomingRead {
  readonly Params: SessionParameters;
  readonly Querystring: WaitingQuery & { readonly after_sequence: number };
}

const entryExample = '{"message_id":"m1","received_at_ms":1,"sender":"a","message_type":"Propose","raw_payload":[1]}\n';

/** Reads of sessions that may be of any length. */
export function sessionLogRoutes(app: FastifyInstance, context: RouteContext): void {
  const { service, access, tellFailure } = context;
  const onRequest = [...access.read];

  app.get<LogRead>('/v1/sessions/:id/log', {
    schema: {
      params: sessionParameters,
      querystring: parameters({
        from: wholeNumber('First entry, counted from 0', { default: 0 }),
        to: wholeNumber('Entry to end before'),
        limit: wholeNumber('Most entries to answer with'),
        follow: {
          type: 'boolean',
          description: 'true: server-sent events, also of the entries to come; so does "Accept: text/event-stream"',
        },
        generation: wholeNumber('With follow: the generation of the log that from counts in; else the present one'),
        ...waitingParameters,
      }),
      headers: {
        type: 'object',
        properties: {
          'last-event-id': { type: 'string', description: 'With follow: go on after this event', examples: ['0.41'] },
        },
      },
      ...describeOperation({
        id: 'readLog',
        tag: 'sessions',
        summary: 'The log of a session, an entry a line, or followed',
        description:
          'Followed, each entry is an event `entry` with the id GENERATION.ORDINAL; an event `reset` says that the log was replaced or deleted and starts anew. A comment comes every 15 seconds. An answer that fails midway breaks the connection off.',
        scope: 'read',
        answers: { 200: logAnswer },
        errors: sessionErrors,
      }),
    },
    onRequest,
    handler: (request, reply) =>
      follows(request) ? follow(request, reply, context) : readLog(request, reply, context),
  });

  app.get<IncomingRead>('/v1/sessions/:id/incoming', {
    schema: {
      params: sessionParameters,
      querystring: parameters({
        after_sequence: wholeNumber('Only accepted messages above this accepted ordinal', { default: 0 }),
        ...waitingParameters,
      }),
      ...describeOperation({
        id: 'readIncoming',
        tag: 'sessions',
        summary: 'Accepted messages of a session above an accepted ordinal, one a line',
        scope: 'read',
        answers: {
          200: {
            description: 'Lines of JSON: {"ordinal":n,"entry":{…}}',
            content: {
              [linesMediaType]: {
                schema: { type: 'string', examples: [`{"ordinal":1,"entry":${entryExample.trim()}}\n`] },
              },
            },
          },
        },
        errors: [...sessionErrors, 'BELOW_COMPACTION_BASE'],
      }),
    },
    onRequest,
    handler: (request, reply) => {
      const { params, query } = request;
      const waiting = waitingOf(query);
      const signal = waiting === undefined ? undefined : untilGone(reply);
      const pages = service.incoming(sessionOf(params), query.after_sequence, waiting, signal);
      return sendPages(request, reply, { pages, encode: acceptedLines, tellFailure });
    },
  });
}

const logAnswer = {
  description: 'The entries, byte for byte as they were stored',
  content: {
    [linesMediaType]: { schema: { type: 'string', description: 'Lines of JSON', examples: [entryExample] } },
    [eventStreamMediaType]: {
      // Of each event, as OpenAPI has it for streams of events.
      schema: {
        type: 'object',
        description: 'Server-sent events, with follow=true',
        properties: {
          id: { type: 'string', description: 'GENERATION.ORDINAL of the entry' },
          event: { type: 'string', enum: ['entry', 'reset'] },
          data: { type: 'string', description: 'The entry, or the generation of the log that starts anew' },
        },
        required: ['event', 'data'],
      },
    },
  },
};

function follows({ query, headers }: FastifyRequest<LogRead>): boolean {
  return query.follow ?? headers.accept?.includes(eventStreamMediaType) ?? false;
}

function readLog(
  request: FastifyRequest<LogRead>,
  reply: FastifyReply,
  { service, tellFailure }: RouteContext,
): Promise<FastifyReply> {
  const { params, query } = request;
  const waiting = waitingOf(query);
  const signal = waiting === undefined ? undefined : untilGone(reply);
  if (query.generation !== undefined) {
    throw new PersistenceError('INVALID_REQUEST', 'generation is only for a log that is followed');
  }
  const { from, to, limit } = query;
  const pages = service.log(sessionOf(params), { from, to, limit }, waiting, signal);
  return sendPages(request as FastifyRequest, reply, { pages, encode: joinLines, tellFailure });
}

async function follow(
  request: FastifyRequest<LogRead>,
  reply: FastifyReply,
  { service, clock, ending, tellFailure }: RouteContext,
): Promise<FastifyReply> {
  const { params, query, headers } = request;
  const session = sessionOf(params);
  if (query.to !== undefined || query.limit !== undefined) {
    throw new PersistenceError('INVALID_REQUEST', 'a followed log has no end: to and limit cannot be asked for');
  }
  const lastId = headers['last-event-id'];
  const from =
    typeof lastId === 'string' ? pointAfter(lastId) : { generation: query.generation, ordinal: query.from ?? 0 };
  const signal = untilGone(reply, ending);
  // Once the stream has begun, its status can no longer say that there is no such session.
  await service.cursor(session, waitingOf(query), signal);
  reply.type(eventStreamMediaType);
  if (request.method === 'HEAD') return reply.send(Readable.from([]));
  const stream = byteStream(eventStream(service.follow(session, from, signal), clock, signal));
  return reply.send(stream.once('error', (error) => tellFailure(request as FastifyRequest, error)));
}

function acceptedLines(page: readonly AcceptedEntry[]): Buffer {
  return Buffer.concat(
    page.flatMap(({ ordinal, entry }) => [Buffer.from(`{"ordinal":${ordinal},"entry":`, 'latin1'), entry, lineEnd]),
  );
}

const lineEnd = Buffer.from('}\n', 'latin1');
