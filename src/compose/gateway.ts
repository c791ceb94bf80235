import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { parseWriter } from '../domain/identifiers.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { CommittedBatch } from '../ports/telemetry.ts';
import { StoreWatch } from '../read-side/store-watch.ts';
import { openRedisServer, type RedisServer } from '../redis-server/server.ts';
import type { Readiness } from '../service/status.ts';
import { logGateway } from '../telemetry/gateway-log.ts';
import { readIdentity } from './pem-files.ts';
import { packageVersion } from './version.ts';

/** What a gateway stands on. It belongs to whoever opened it. */
export interface GatewayParts {
  readonly values: Values;
  readonly logger: Logger;
  readonly port: number;
  readonly queue: Queue;
  readonly store: Store;
  /** Persists in this process; undefined where others do. */
  readonly pipeline: Pipeline | undefined;
}

/** A gateway that listens. */
export class HostedGateway implements AsyncDisposable {
  readonly #gateway: Gateway;
  readonly #server: RedisServer;
  readonly #release: () => Promise<void>;

  private constructor(gateway: Gateway, server: RedisServer, release: () => Promise<void>) {
    this.#gateway = gateway;
    this.#server = server;
    this.#release = release;
  }

  /** Listens as the settings say. Throws `INVALID_CONFIGURATION` when that is not possible. */
  static async open({ values, logger, port, queue, store, pipeline }: GatewayParts): Promise<HostedGateway> {
    const watch = new StoreWatch({
      store,
      clock: systemClock,
      polls: pipeline === undefined || store.capabilities.shared,
    });
    const gateway = new Gateway({
      queue,
      store,
      watch,
      clock: systemClock,
      prefix: values['gateway.prefix'],
      newWriter: () => parseWriter(`//macp-persist/gateway/${randomUUID()}`),
    });
    logGateway(gateway, logger);
    const identity = await readIdentity(
      { setting: 'gateway.tlsCertificate', path: values['gateway.tlsCertificate'] },
      { setting: 'gateway.tlsKey', path: values['gateway.tlsKey'] },
    );
    const server = await openRedisServer({
      peer: gateway,
      host: values['gateway.host'],
      port,
      password: values['gateway.password'],
      identity,
      version: await packageVersion(),
      logger,
      clock: systemClock,
    });
    const noteCommitted = ({ changes }: CommittedBatch): void => watch.noteCommitted(changes);
    pipeline?.on('committed', noteCommitted);
    const { host, port: taken } = server.address;
    logger.info({ host, port: taken, tls: identity !== undefined }, 'the gateway listens');
    return new HostedGateway(gateway, server, async () => {
      pipeline?.off('committed', noteCommitted);
      await watch.close();
    });
  }

  /** Where it listens, for `MACP_REDIS_URL`. */
  get address(): RedisServer['address'] {
    return this.#server.address;
  }

  get readiness(): Readiness {
    const { state } = this.#gateway;
    return { ready: state === 'open', because: state === 'open' ? undefined : `the gateway is ${state}` };
  }

  /** Works until `signal` is aborted, see {@link Gateway.run}. */
  run(signal: AbortSignal): Promise<void> {
    return this.#gateway.run(signal);
  }

  /** Takes no more requests, and resolves once those under way are answered, or `deadline` is aborted. */
  drain(deadline: AbortSignal): Promise<void> {
    return this.#server.drain(deadline);
  }

  /** Cuts what is under way. Idempotent. */
  async close(): Promise<void> {
    await this.#server.close();
    await this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
