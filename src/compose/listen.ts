import type { Logger } from 'pino';
import type { Configuration } from '../configuration/resolve.ts';
import type { Settings } from '../configuration/settings.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type HttpServer, openHttpServer } from '../http-server/server.ts';
import { openTokenSource, type TokenSource } from '../http-server/tokens.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { Service } from '../ports/service.ts';
import type { Store } from '../ports/store.ts';
import { readPartitions } from '../service/lag.ts';
import type { Readiness } from '../service/status.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { packageVersion } from './version.ts';

export interface ListeningRequest {
  readonly configuration: Configuration<Settings>;
  readonly logger: Logger;
  /** True for an API that only the owner of the data directory is meant to find, unless a port is given. */
  readonly isPrivate: boolean;
  readonly service: Service;
  /** Accepted besides the configured tokens. */
  readonly ownerToken: string;
  readonly queue: Queue | undefined;
  readonly store: Store;
  readonly pipeline: Pipeline | undefined;
  readonly gateway: Gateway | undefined;
  readonly readiness: () => Readiness;
}

/** A service that listens, and what it tells of itself. */
export interface Listening {
  readonly server: HttpServer;
  readonly metrics: Metrics;
}

/** Listens with the service as the settings say. Throws `INVALID_CONFIGURATION` when that is not possible. */
export async function listen(request: ListeningRequest): Promise<Listening> {
  const { configuration, logger, service, queue, store, pipeline, gateway, readiness } = request;
  const { values } = configuration;
  const version = await packageVersion();
  const metrics = createMetrics({
    pipeline,
    gateway,
    totals: () => store.readTotals(),
    lag: async () =>
      new Map((queue === undefined ? [] : await readPartitions(queue, store)).map((one) => [one.partition, one])),
    clock: systemClock,
    version,
  });
  const server = await openHttpServer({
    service,
    areFiled: (keys) => store.areFiled(keys),
    ...placeOf(request),
    version,
    tokens: await tokensOf(request),
    limits: {
      requestsPerSecond: values['http.maximumRate'],
      connections: values['http.maximumConnections'],
      bodyBytes: values['http.maximumBody'],
      bufferedBytes: Math.max(values['http.maximumBuffered'], values['http.maximumBody']),
    },
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    observeRequest: metrics.observeRequest,
    isReady: readiness,
    isLive: () => true,
    logger,
    clock: systemClock,
  });
  return { server, metrics };
}

/** A private API hides at a free port, unless somebody asked for one: to read the metrics of a worker, for instance. */
function placeOf({ configuration, isPrivate }: ListeningRequest): { readonly host: string; readonly port: number } {
  const { values, origins } = configuration;
  if (isPrivate && origins['http.port'].from === 'default') return { host: '127.0.0.1', port: 0 };
  return { host: values['http.host'], port: values['http.port'] };
}

/** Nobody needs a token at a loopback address where no tokens are configured, except for an API that is private. */
async function tokensOf(request: ListeningRequest): Promise<TokenSource | undefined> {
  const { configuration, logger, ownerToken, isPrivate } = request;
  const path = configuration.values['http.tokens'];
  if (path === undefined && !isPrivate) return undefined;
  return await openTokenSource({ path, ownerToken, clock: systemClock, logger });
}
