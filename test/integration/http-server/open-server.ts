import { pino } from 'pino';
import { type HttpServer, type HttpServerOptions, openHttpServer } from '../../../src/http-server/server.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { stubService } from './stub-service.ts';

/** A server at a free port of this machine, with everything that `options` do not say. */
export function openServer(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  return openHttpServer({
    service: stubService(),
    areFiled: async (keys) => keys.map(() => false),
    host: '127.0.0.1',
    port: 0,
    version: '0.0.0',
    tokens: undefined,
    limits: { requestsPerSecond: 0, connections: 100, bodyBytes: 1024 * 1024, bufferedBytes: 4 * 1024 * 1024 },
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'a 1\n' }),
    isReady: () => ({ ready: true, because: undefined }),
    isLive: () => true,
    logger: pino({ level: 'silent' }),
    observeRequest: () => undefined,
    clock: systemClock,
    ...options,
  });
}
