import type { FastifyInstance } from 'fastify';
import { numberedTypes } from '../../domain/command.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { parseSessionId, type Sequence } from '../../domain/identifiers.ts';
import type { FiledId } from '../../domain/plan.ts';
import { bodyErrors, describeOperation, jsonAnswer, storeErrors } from '../answers.ts';
import { parameters, type SessionParameters, sessionOf, sessionParameters, wholeNumber } from '../parameters.ts';
import { decisionAnswers, publishErrors, sendDecision } from '../results.ts';
import type { RouteContext } from './context.ts';

interface SkipCall {
  readonly Params: SessionParameters;
  readonly Body: { readonly sequence: number; readonly by: string; readonly reason: string };
}

interface RepairCall {
  readonly Params: SessionParameters;
  readonly Querystring: { readonly sequence: number; readonly type: string };
  readonly Body: Uint8Array | undefined;
}

interface FiledCall {
  readonly Body: { readonly keys: readonly { readonly session: string | null; readonly id: string }[] };
}

/** Largest JSON body, in bytes. */
const jsonBytes = 1024 * 1024;

const decisionErrors: readonly ErrorCode[] = [
  ...publishErrors,
  ...bodyErrors,
  'INVALID_SESSION_ID',
  'SESSION_NOT_FOUND',
  'NOT_OPEN',
];

function body(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

/** What operators do, told in JSON. */
export function actionRoutes(
  app: FastifyInstance,
  { service, areFiled, access, budget, bodyBytes }: RouteContext,
): void {
  const bodyLimit = Math.min(jsonBytes, bodyBytes);
  const common = { bodyLimit, onRequest: [...access.admin, budget.admission(bodyLimit)] };
  // Texts are nothing that an operation here would take.
  app.removeContentTypeParser('text/plain');

  app.post<SkipCall>('/v1/admin/sessions/:id/skip', {
    schema: {
      params: sessionParameters,
      body: body({
        sequence: wholeNumber('The number to pass over: the open one', { minimum: 1 }),
        by: { type: 'string', minLength: 1, description: 'Who decided' },
        reason: { type: 'string', minLength: 1, description: 'Why' },
      }),
      ...describeOperation({
        id: 'skip',
        tag: 'admin',
        summary: 'Passes over the open number of a blocked session',
        description: 'The decision is a command on the queue, so a replay decides the same again.',
        scope: 'admin',
        answers: decisionAnswers,
        errors: decisionErrors,
      }),
    },
    ...common,
    handler: async ({ params, body: { sequence, by, reason } }, reply) => {
      const request = { session: sessionOf(params), sequence: sequence as Sequence, by, reason };
      return sendDecision(reply, await service.skip(request));
    },
  });

  app.post<{ Body: { readonly name: string } }>('/v1/admin/backups', {
    schema: {
      body: body({ name: { type: 'string', minLength: 1, maxLength: 255, description: 'Name of a new directory' } }),
      ...describeOperation({
        id: 'backup',
        tag: 'admin',
        summary: 'Copies the store, as of one moment, into a new directory in the place for backups',
        description: 'Answered once the copy is whole, however long that takes.',
        scope: 'admin',
        answers: { 200: jsonAnswer('The copy', { $ref: 'BackupSummary#' }) },
        errors: [...storeErrors, ...bodyErrors, 'INVALID_INPUT', 'NOT_SUPPORTED', 'DISK_FULL'],
      }),
    },
    ...common,
    handler: ({ body: { name }, raw }) => {
      // Nothing is sent meanwhile, and silence would otherwise end the connection.
      raw.socket.setTimeout(0);
      return service.backup(name);
    },
  });

  app.post<FiledCall>('/v1/filed', {
    schema: {
      body: body({
        keys: {
          type: 'array',
          maxItems: 1_000,
          items: body({
            session: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'null: filed under no session' },
            id: { type: 'string', minLength: 1 },
          }),
        },
      }),
      ...describeOperation({
        id: 'areFiled',
        tag: 'sessions',
        summary: 'Which of the given dead letters and decisions the store holds, in their order',
        scope: 'read',
        answers: {
          200: jsonAnswer('An answer to each', {
            type: 'object',
            properties: { filed: { type: 'array', items: { type: 'boolean' } } },
            required: ['filed'],
          }),
        },
        errors: [...storeErrors, ...bodyErrors, 'INVALID_SESSION_ID'],
      }),
    },
    bodyLimit,
    onRequest: [...access.read, budget.admission(bodyLimit)],
    handler: async ({ body: { keys } }) => {
      const filedKeys = keys.map(({ session, id }) => ({
        session: session === null ? undefined : parseSessionId(session),
        id: id as FiledId,
      }));
      return { filed: await areFiled(filedKeys) };
    },
  });
}

/** Repairing a session. A context of its own: its body is the data itself, whatever that is. */
export function repairRoutes(app: FastifyInstance, { service, access, budget, bodyBytes }: RouteContext): void {
  app.removeAllContentTypeParsers();
  const verbatim = async (_: unknown, bytes: Buffer) => bytes;
  app.addContentTypeParser(['application/json', 'application/octet-stream'], { parseAs: 'buffer' }, verbatim);

  app.post<RepairCall>('/v1/admin/sessions/:id/repair', {
    schema: {
      params: sessionParameters,
      querystring: {
        ...parameters({
          sequence: wholeNumber('The open number of the session', { minimum: 1 }),
          type: { type: 'string', enum: [...numberedTypes], description: 'Type of the command' },
        }),
        required: ['sequence', 'type'],
      },
      ...describeOperation({
        id: 'repair',
        tag: 'admin',
        summary: 'Sends other data for the open number of a session, as its reigning writer',
        scope: 'admin',
        body: {
          'application/json': { schema: {} },
          'application/octet-stream': { schema: { type: 'string', contentMediaType: 'application/octet-stream' } },
        },
        answers: decisionAnswers,
        errors: [...decisionErrors, 'INVALID_DATA', 'DATA_TOO_LARGE'],
      }),
    },
    bodyLimit: bodyBytes,
    onRequest: [...access.admin, budget.admission(bodyBytes)],
    handler: async ({ params, query: { sequence, type }, body: data }, reply) => {
      const request = {
        session: sessionOf(params),
        sequence: sequence as Sequence,
        type,
        data: data ?? Buffer.alloc(0),
      };
      return sendDecision(reply, await service.repair(request));
    },
  });
}
