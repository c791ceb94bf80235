import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { GatewayEvents } from '../ports/telemetry.ts';

/**
 * Writes what a gateway tells about itself to a pino logger: state changes at info, connections that were ended without
 * an answer at warn, the end of everything at error. Nothing that was sent ever reaches the log.
 */
export function logGateway(gateway: EventEmitter<GatewayEvents>, logger: Logger): void {
  gateway.on('state', (from, to) => logger.info({ from, to }, 'gateway state'));
  gateway.on('cut', (reason) => logger.warn({ reason }, 'a connection of the gateway was ended without an answer'));
  gateway.on('failed', (error) => logger.error({ code: error.code, err: error }, 'the gateway failed'));
}
