import rateLimit from '@fastify/rate-limit';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from 'pino';
import { PersistenceError } from '../domain/errors.ts';
import { checkHost } from './access.ts';
import type { TellFailure } from './failure-log.ts';
import { KnownPaths } from './known-paths.ts';
import { queryReader } from './parameters.ts';
import { ProblemError, sendProblem } from './problem.ts';
import { safetyHeaders } from './safety-headers.ts';
import type { ServerTimeouts } from './timeouts.ts';
import { answerExpectation, answerUnreadable } from './unreadable.ts';

/** An answered request, told without anything that somebody sent: `route` is the pattern of a path, or `none`. */
export interface AnsweredRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

export interface ApplicationOptions {
  /** Whether only requests to a name of this machine are taken. */
  readonly loopbackOnly: boolean;
  /** Requests from one address; 0 for no limit. */
  readonly requestsPerSecond: number;
  readonly timeouts: ServerTimeouts;
  readonly logger: Logger;
  readonly observeRequest: (request: AnsweredRequest) => void;
  readonly tellFailure: TellFailure;
  /** Aborted once no new requests are taken. */
  readonly ending: AbortSignal;
}

/** A Fastify instance with everything that does not depend on a route: errors, limits, validation, the access log. */
export async function createApplication(options: ApplicationOptions): Promise<FastifyInstance> {
  const { timeouts, tellFailure } = options;
  const answerFailure = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    sendProblem(reply, tellFailure(request, thrown));
  const app = fastify({
    logger: false,
    return503OnClosing: false,
    connectionTimeout: timeouts.silence,
    keepAliveTimeout: timeouts.betweenRequests,
    requestTimeout: timeouts.request,
    http: {
      headersTimeout: timeouts.headers,
      connectionsCheckingInterval: timeouts.checkInterval,
      // Node would answer with its own words.
      requireHostHeader: false,
    },
    // Any path that fits into the headers: what is wrong with an id is said by the id's own rule.
    routerOptions: { maxParamLength: 16 * 1024 },
    // Numbers are read strictly beforehand, and nothing that was sent is to be passed over in silence.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => {
      reply.headers(safetyHeaders);
      answerFailure(error, request as FastifyRequest, reply as FastifyReply);
    },
  });
  app.server.on('checkExpectation', answerExpectation);
  // Answers are written as they are: their schemas describe them and must not leave anything out.
  app.setSerializerCompiler(() => (document) => JSON.stringify(document));
  app.setErrorHandler(answerFailure);
  const paths = new KnownPaths(app);
  await addGuards(app, options);
  // Before a body is read: at a path where there is nothing, nobody bounds it.
  app.addHook('onRequest', async ({ is404, method, raw }) => {
    if (is404) throw paths.whyNothing(method, raw.url ?? '');
  });
  readQueriesStrictly(app);
  tellAnswers(app, options);
  return app;
}

/** What every request has to pass, also those that nothing answers to. */
async function addGuards(app: FastifyInstance, options: ApplicationOptions): Promise<void> {
  const { loopbackOnly, requestsPerSecond, ending } = options;
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(safetyHeaders);
    if (ending.aborted) {
      throw new ProblemError('SERVICE_UNAVAILABLE', 'the service is stopping', { headers: { connection: 'close' } });
    }
    checkHost(request.raw, loopbackOnly);
  });
  if (requestsPerSecond === 0) return;
  await app.register(rateLimit, { global: false, max: requestsPerSecond, timeWindow: 1_000 });
  const limit = app.createRateLimit();
  app.addHook('onRequest', async (request) => {
    const found = await limit(request);
    if (found.isAllowed || !found.isExceeded) return;
    const message = `at most ${requestsPerSecond} requests a second are taken from one address`;
    throw new PersistenceError('TOO_MANY_REQUESTS', message);
  });
}

const noParameters = { type: 'object', properties: {}, additionalProperties: false };

/** Every route refuses parameters that it does not know, and takes numbers in strict decimals only. */
function readQueriesStrictly(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    route.schema = { querystring: noParameters, ...route.schema };
    const read = queryReader(route.schema.querystring);
    if (read === undefined) return;
    route.preValidation = [
      async (request: FastifyRequest) => read(request.query as Record<string, unknown>),
      ...[route.preValidation ?? []].flat(),
    ];
  });
}

function tellAnswers(app: FastifyInstance, { logger, observeRequest }: ApplicationOptions): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    const { statusCode: status, elapsedTime } = reply;
    observeRequest({ route, method, status, seconds: elapsedTime / 1_000 });
    if (logger.isLevelEnabled('debug')) {
      logger.debug({ method, route, status, milliseconds: Math.round(elapsedTime * 100) / 100 }, 'request');
    }
    done();
  });
}
