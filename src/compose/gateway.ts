import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Values } from '../configuration/settings.ts';
import { parseWriter } from '../domain/identifiers.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { systemClock } from '../platform/system-clock.ts';
import type { Queue } from '../ports/queue.ts';
import type { GatewayStatus } from '../ports/service-status.ts';
import type { Store } from '../ports/store.ts';
import type { CommittedBatch } from '../ports/telemetry.ts';
import { StoreWatch } from '../read-side/store-watch.ts';
import { openRedisServer, type RedisServer } from '../redis-server/server.ts';
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

/** A gateway, and the server that it listens with. */
export class HostedGateway implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly #parts: GatewayParts;
  readonly #release: () => Promise<void>;
  #server: RedisServer | undefined;

  constructor(parts: GatewayParts) {
    const { values, logger, queue, store, pipeline } = parts;
    const polls = pipeline === undefined || store.capabilities.shared;
    const watch = new StoreWatch({ store, clock: systemClock, polls });
    const noteCommitted = ({ changes }: CommittedBatch): void => watch.noteCommitted(changes);
    pipeline?.on('committed', noteCommitted);
    this.#parts = parts;
    this.gateway = new Gateway({
      queue,
      store,
      watch,
      clock: systemClock,
      prefix: values['gateway.prefix'],
      newWriter: () => parseWriter(`//macp-persist/gateway/${randomUUID()}`),
    });
    logGateway(this.gateway, logger);
    this.#release = async () => {
      pipeline?.off('committed', noteCommitted);
      await watch.close();
    };
  }

  /** Listens as the settings say. Throws `INVALID_CONFIGURATION` when that is not possible. */
  async listen(): Promise<void> {
    const { values, logger, port } = this.#parts;
    const identity = await readIdentity(
      { setting: 'gateway.tlsCertificate', path: values['gateway.tlsCertificate'] },
      { setting: 'gateway.tlsKey', path: values['gateway.tlsKey'] },
    );
    this.#server = await openRedisServer({
      peer: this.gateway,
      host: values['gateway.host'],
      port,
      password: values['gateway.password'],
      identity,
      version: await packageVersion(),
      logger,
      clock: systemClock,
    });
    logger.info({ address: this.status.address, tls: identity !== undefined }, 'the gateway listens');
  }

  get status(): GatewayStatus {
    const at = this.#server?.address;
    return { address: at === undefined ? null : `${at.host}:${at.port}`, state: this.gateway.state };
  }

  /** Why no runtime can work with it at present, if none can. */
  get unreadyBecause(): string | undefined {
    const { state } = this.gateway;
    return state === 'open' ? undefined : `the gateway is ${state}`;
  }

  /** Works until `signal` is aborted, see {@link Gateway.run}. */
  run(signal: AbortSignal): Promise<void> {
    return this.gateway.run(signal);
  }

  /** Takes no more requests, and resolves once those under way are answered, or `deadline` is aborted. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#server?.drain(deadline);
  }

  /** Cuts what is under way. Idempotent. */
  async close(): Promise<void> {
    await this.#server?.close();
    await this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
