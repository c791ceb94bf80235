import { join } from 'node:path';
import { type LocalKafka, startKafka as startLocalKafka } from '../../scripts/services/kafka.mjs';
import { freePorts } from '../../scripts/services/ports.mjs';
import { type LocalRedis, startRedis as startLocalRedis } from '../../scripts/services/redis.mjs';

/** A Kafka broker of this run's own below `directory`, settings as `scripts/services` has them. */
export async function startKafka(directory: string): Promise<LocalKafka & AsyncDisposable> {
  const kafka = await startLocalKafka({ directory: join(directory, 'kafka') });
  return { ...kafka, [Symbol.asyncDispose]: kafka.stop };
}

/** A redis-server of this run's own below `directory`, with `appendfsync always` unless `settings` say otherwise. */
export async function startRedis(
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<LocalRedis & AsyncDisposable> {
  const redis = await startLocalRedis({ directory: join(directory, 'redis'), settings });
  return { ...redis, [Symbol.asyncDispose]: redis.stop };
}

/** A port of this machine at which nothing listens. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new TypeError('one port was asked for');
  return port;
}
