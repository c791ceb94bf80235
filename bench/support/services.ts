import { join } from 'node:path';
import type { LocalKafka } from '../../scripts/services/kafka.mjs';
import type { LocalRedis } from '../../scripts/services/redis.mjs';

/** The scripts that start services find their own files beside them, so they are loaded from where they stand. */
const services = new URL('../../../scripts/services/', import.meta.url);

/** A Kafka broker of this run's own below `directory`, settings as `scripts/services` has them. */
export async function startKafka(directory: string): Promise<LocalKafka & AsyncDisposable> {
  const module: typeof import('../../scripts/services/kafka.mjs') = await import(new URL('kafka.mjs', services).href);
  const kafka = await module.startKafka({ directory: join(directory, 'kafka') });
  return { ...kafka, [Symbol.asyncDispose]: kafka.stop };
}

/** A redis-server of this run's own below `directory`, with `appendfsync always` unless `settings` say otherwise. */
export async function startRedis(
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<LocalRedis & AsyncDisposable> {
  const module: typeof import('../../scripts/services/redis.mjs') = await import(new URL('redis.mjs', services).href);
  const redis = await module.startRedis({ directory: join(directory, 'redis'), settings });
  return { ...redis, [Symbol.asyncDispose]: redis.stop };
}

/** A port of this machine at which nothing listens. */
export async function freePort(): Promise<number> {
  const module: typeof import('../../scripts/services/ports.mjs') = await import(new URL('ports.mjs', services).href);
  const [port] = await module.freePorts(1);
  if (port === undefined) throw new TypeError('one port was asked for');
  return port;
}
