import { setMaxListeners } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { PersistenceError } from '../domain/errors.ts';
import { addressOf, isLoopback, type ListeningPlace, listeningFailure } from '../listening/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Service } from '../ports/service.ts';
import type { SessionWatch } from '../ports/session-watch.ts';
import { accessHooks } from './access.ts';
import { type AnsweredRequest, createApplication } from './application.ts';
import { BodyBudget } from './body-budget.ts';
import { Connections } from './connections.ts';
import { failureLog } from './failure-log.ts';
import { type HttpServer, ListeningServer } from './listening-server.ts';
import { describeRoutes } from './open-api.ts';
import { boundRequestsUnderWay } from './requests-under-way.ts';
import { actionRoutes, repairRoutes } from './routes/actions.ts';
import { adminRoutes } from './routes/admin.ts';
import { commandRoutes } from './routes/commands.ts';
import type { RouteContext } from './routes/context.ts';
import { operationRoutes, type ProcessState } from './routes/operations.ts';
import { sessionLogRoutes } from './routes/session-log.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { type ServerTimeouts, serverTimeouts } from './timeouts.ts';
import type { TokenSource } from './tokens.ts';

export type { HttpServer } from './listening-server.ts';

export interface ServerLimits {
  /** Requests a second from one address; 0 for no limit. */
  readonly requestsPerSecond: number;
  /** Connections open at a time. */
  readonly connections: number;
  /** Bytes of one body. */
  readonly bodyBytes: number;
  /** Bytes of all bodies at a time; at least `bodyBytes`. */
  readonly bufferedBytes: number;
}

export interface HttpServerOptions extends ProcessState {
  readonly service: Service;
  /** Which dead letters and decisions the store holds, for those who watch it through this server. */
  readonly areFiled: SessionWatch['areFiled'];
  /** Name or address to listen at. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Version of the program, for its description. */
  readonly version: string;
  /** Who may do what; undefined: everybody on this machine everything, and `host` must be a loopback address. */
  readonly tokens: TokenSource | undefined;
  readonly limits: ServerLimits;
  /** Default: {@link serverTimeouts}. */
  readonly timeouts?: ServerTimeouts;
  /** Requests are logged at `debug`: never tokens, bodies, ids or values. */
  readonly logger: Logger;
  /** Told of every answer. */
  readonly observeRequest: (request: AnsweredRequest) => void;
  readonly clock: Clock;
}

/** Listens with a service. Throws `INVALID_CONFIGURATION` when that is not possible at this address. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, tokens, limits, logger, clock, service, areFiled } = options;
  if (limits.bufferedBytes < limits.bodyBytes) throw new TypeError('all bodies together are to be larger than one');
  const address = await addressOf(host);
  if (tokens === undefined && !isLoopback(address)) {
    const message = `without tokens the service listens at a loopback address only, which ${host} is not: set http.tokens`;
    throw new PersistenceError('INVALID_CONFIGURATION', message);
  }
  const ending = new AbortController();
  // Everybody who follows a log listens to it.
  setMaxListeners(0, ending.signal);
  const tellFailure = failureLog(logger);
  const app = await createApplication({
    loopbackOnly: tokens === undefined,
    requestsPerSecond: limits.requestsPerSecond,
    timeouts: options.timeouts ?? serverTimeouts,
    logger,
    observeRequest: options.observeRequest,
    tellFailure,
    ending: ending.signal,
  });
  const context: RouteContext = {
    service,
    areFiled,
    clock,
    access: accessHooks(tokens),
    budget: new BodyBudget(limits.bufferedBytes),
    bodyBytes: limits.bodyBytes,
    tellFailure,
    ending: ending.signal,
  };
  await describeRoutes(app, options.version);
  await addRoutes(app, context, options);
  app.server.maxConnections = limits.connections;
  const connections = new Connections(app.server);
  boundRequestsUnderWay(app.server);
  await listen(app, address, { host, port, settings: 'http' });
  return new ListeningServer(app, connections, ending);
}

async function addRoutes(app: FastifyInstance, context: RouteContext, state: ProcessState): Promise<void> {
  sessionRoutes(app, context);
  sessionLogRoutes(app, context);
  adminRoutes(app, context);
  operationRoutes(app, context, state);
  // Each in a context of its own, because each takes other content types.
  for (const routes of [commandRoutes, actionRoutes, repairRoutes]) {
    await app.register(async (scope) => routes(scope, context));
  }
}

async function listen(app: FastifyInstance, address: string, place: ListeningPlace): Promise<void> {
  try {
    await app.listen({ host: address, port: place.port });
  } catch (thrown) {
    await app.close();
    throw listeningFailure(thrown, place);
  }
}
