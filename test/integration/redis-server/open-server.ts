import { pino } from 'pino';
import { systemClock } from '../../../src/platform/system-clock.ts';
import { openRedisServer, type RedisServer, type RedisServerOptions } from '../../../src/redis-server/server.ts';
import { KeyValuePeer } from './key-value-peer.ts';

/** A server at a free port of this machine, with everything that `options` do not say. */
export function openServer(options: Partial<RedisServerOptions> = {}): Promise<RedisServer> {
  return openRedisServer({
    peer: new KeyValuePeer(),
    host: '127.0.0.1',
    port: 0,
    password: undefined,
    identity: undefined,
    version: '0.0.0',
    logger: pino({ level: 'silent' }),
    clock: systemClock,
    ...options,
  });
}
