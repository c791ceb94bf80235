import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Logger } from 'pino';
import { PersistenceError } from '../domain/errors.ts';
import { addressOf, isLoopback, type ListeningPlace, listeningFailure } from '../listening/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { RedisPeer } from '../ports/redis-peer.ts';
import { ByteBudget } from './byte-budget.ts';
import { Connections } from './connections.ts';
import { informationText } from './information.ts';
import { type RedisServerLimits, redisServerLimits } from './limits.ts';
import { Password } from './password.ts';
import { type RedisServer, RunningServer } from './running-server.ts';
import { type ServerIdentity, tlsLayer } from './tls-layer.ts';

export type { RedisServer } from './running-server.ts';

export interface RedisServerOptions {
  readonly peer: RedisPeer;
  /** Name or address to listen at. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Undefined: everybody on this machine is let in, and `host` must be a loopback address. */
  readonly password: string | undefined;
  /** Undefined: connections are not encrypted. */
  readonly identity: ServerIdentity | undefined;
  /** Default: {@link redisServerLimits}. */
  readonly limits?: RedisServerLimits;
  /** Version of the program, for INFO. */
  readonly version: string;
  /** Connections that are cut off are logged: never passwords, or what was sent. */
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Milliseconds without a word after which the system asks whether a client is still there. */
const keepAliveInitialDelay = 30_000;
const settings = 'gateway';

/**
 * Listens for clients that speak the Redis protocol, and speaks for `peer`. Throws `INVALID_CONFIGURATION` when that is
 * not possible at this address.
 */
export async function openRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  const { peer, host, port, password, identity, version, logger, clock, limits = redisServerLimits } = options;
  const address = await addressOf(host);
  if (password === undefined && !isLoopback(address)) {
    const message = `without a password the gateway listens at a loopback address only, which ${host} is not: set ${settings}.password`;
    throw new PersistenceError('INVALID_CONFIGURATION', message);
  }
  const secure = identity === undefined ? undefined : tlsLayer(identity);
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay });
  await listen(server, address, { host, port, settings });
  server.on('error', ({ message }) => logger.error({ reason: message }, 'a connection could not be accepted'));
  const connections: Connections = new Connections(server, {
    context: {
      peer,
      password: password === undefined ? undefined : new Password(password),
      limits,
      budget: new ByteBudget(limits.heldBytes),
      information: () => informationText({ version, clients: connections.count }),
      clock,
      tellCut: (client, reason) => logger.info({ client, reason }, 'a connection was cut off'),
    },
    secure,
  });
  return new RunningServer(server, connections);
}

async function listen(server: Server, address: string, place: ListeningPlace): Promise<void> {
  server.listen({ host: address, port: place.port });
  try {
    await once(server, 'listening');
  } catch (thrown) {
    throw listeningFailure(thrown, place);
  }
}
