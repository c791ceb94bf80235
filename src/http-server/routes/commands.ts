import type { FastifyInstance } from 'fastify';
import { claimType, numberedTypes, skipType } from '../../domain/command.ts';
import { type ErrorCode, PersistenceError } from '../../domain/errors.ts';
import { structuredMediaType } from '../../domain/wire/binary.ts';
import { splitEvents } from '../../domain/wire/event-batch.ts';
import { bodyErrors, describeOperation } from '../answers.ts';
import { parameters, timeoutParameter, untilGone } from '../parameters.ts';
import { publishErrors, resultAnswers, sendResults } from '../results.ts';
import type { RouteContext } from './context.ts';

interface CommandsRequest {
  readonly Body: readonly Uint8Array[] | undefined;
  readonly Querystring: { readonly wait: 'durable' | 'applied'; readonly timeout_ms: number };
}

const batchMediaType = 'application/cloudevents-batch+json';

/** Codes with which one of the events of a request may be refused. */
const eventErrors: readonly ErrorCode[] = [
  'INVALID_EVENT',
  'UNSUPPORTED_SPEC_VERSION',
  'MISSING_ATTRIBUTE',
  'INVALID_ATTRIBUTE',
  'REPEATED_ATTRIBUTE',
  'UNKNOWN_TYPE',
  'INVALID_SESSION_ID',
  'INVALID_SEQUENCE',
  'INVALID_EPOCH',
  'INVALID_WRITER',
  'INVALID_DATA',
  'INVALID_INPUT',
  'MIXED_EVENTS',
  'DATA_TOO_LARGE',
];
const eventSchema = {
  type: 'object',
  description: 'A command as an event in structured mode (CloudEvents 1.0). The bytes of data are taken as they stand.',
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', minLength: 1, description: 'The writer' },
    type: { type: 'string', enum: [...numberedTypes, claimType, skipType] },
    subject: { type: 'string', minLength: 1, description: 'Session id' },
    macpsequence: { description: 'Number of the command; absent where the service numbers it' },
    macpepoch: { description: 'Number of the reign; absent where the service numbers the command' },
    datacontenttype: { type: ['string', 'null'] },
    data: {},
    data_base64: { type: ['string', 'null'] },
  },
  required: ['specversion', 'id', 'source', 'type', 'subject'],
  examples: [
    { specversion: '1.0', id: 'a', source: '//me', type: 'macp.session.create.v1', subject: 'hello' },
    {
      specversion: '1.0',
      id: 'hello/1/1',
      source: '//me/1',
      type: 'macp.session.create.v1',
      subject: 'hello',
      macpsequence: 1,
      macpepoch: 1,
    },
  ],
};

/** Sending commands. A context of its own: other content types are taken here than elsewhere. */
export function commandRoutes(app: FastifyInstance, { service, access, budget, bodyBytes }: RouteContext): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(structuredMediaType, { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => [body]);
  app.addContentTypeParser(batchMediaType, { parseAs: 'buffer' }, async (_: unknown, body: Buffer) =>
    splitEvents(body),
  );

  app.post<CommandsRequest>('/v1/commands', {
    schema: {
      querystring: parameters({
        wait: {
          type: 'string',
          enum: ['durable', 'applied'],
          default: 'durable',
          description: 'Answer once the commands are durable in the queue, or once their outcome in the store is known',
        },
        timeout_ms: timeoutParameter,
      }),
      ...describeOperation({
        id: 'publish',
        tag: 'commands',
        summary: 'Sends commands: numbered ones as they are, others numbered by the service as their writer',
        description: 'Either all are sent or none. To send the same numbered commands again does no harm.',
        scope: 'write',
        body: {
          [structuredMediaType]: { schema: eventSchema },
          [batchMediaType]: { schema: { type: 'array', items: eventSchema } },
        },
        answers: resultAnswers,
        errors: [...eventErrors, ...publishErrors, ...bodyErrors],
      }),
    },
    bodyLimit: bodyBytes,
    onRequest: [...access.write, budget.admission(bodyBytes)],
    handler: async ({ body, query }, reply) => {
      if (body === undefined) throw new PersistenceError('INVALID_REQUEST', 'the body is to hold the events to send');
      const results = await service.publish({
        events: body,
        until: query.wait,
        timeout: query.timeout_ms,
        signal: untilGone(reply),
      });
      return sendResults(reply, results);
    },
  });
}
