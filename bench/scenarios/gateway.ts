import { join } from 'node:path';
import { compareAppends, redisAppended } from '../support/appends.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { gatewayAppended } from '../support/gateway-process.ts';
import { kafkaUrl, makeTopic } from '../support/kafka-topic.ts';
import { startKafka, startRedis } from '../support/services.ts';
import { WorkerProcess } from '../support/worker-process.ts';

const topic = 'commands';

/**
 * The round trip of an append, `RPUSH` over one connection: through a gateway with the embedded queue and `level`, and
 * through one with Kafka beside a worker that fills a Redis, beside a redis-server with `appendfsync always`. All with the
 * same client.
 */
export async function appendThroughGateway(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('gateway');
  try {
    await using kafka = await startKafka(directory);
    await makeTopic(kafka.addresses(), topic);
    await using store = await startRedis(join(directory, 'store'));
    const queue = kafkaUrl(kafka.addresses(), topic);
    const shared = ['--queue', queue, '--store', `redis://127.0.0.1:${store.port}/0`];
    await using _worker = new WorkerProcess([...shared, '--data-dir', join(directory, 'worker')]);
    await using embedded = await gatewayAppended('start', ['--http-port', '0', '--data-dir', join(directory, 'data')]);
    await using onKafka = await gatewayAppended('gateway', [...shared, '--data-dir', join(directory, 'gateway')]);
    await using redis = await redisAppended(directory);
    await compareAppends(rounds, [
      ['gateway, embedded queue', embedded],
      ['gateway, Kafka', onKafka],
      ['redis-server, appendfsync always', redis],
    ]);
    return true;
  } finally {
    await removeDirectory(directory);
  }
}
