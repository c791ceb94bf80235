import { join } from 'node:path';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { kafkaUrl, makeTopic } from '../support/kafka-topic.ts';
import { readableRate, tellReadable } from '../support/readable.ts';
import { startKafka, startRedis } from '../support/services.ts';

/** Publish to readable through Kafka, into the level store and into a Redis that syncs every commit. */
export async function readFromKafka(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('kafka-read');
  try {
    await using kafka = await startKafka(directory);
    await using redis = await startRedis(directory);
    const stores = { level: `level:${join(directory, 'level')}`, redis: `redis://127.0.0.1:${redis.port}/0` };
    console.log(
      `\nPublish to readable through Kafka, ${readableRate} commands/s, milliseconds (medians of ${rounds} rounds)`,
    );
    let allMet = true;
    for (const [name, store] of Object.entries(stores)) {
      const queue = kafkaUrl(kafka.addresses(), `read-${name}`);
      await makeTopic(kafka.addresses(), `read-${name}`);
      allMet = (await tellReadable({ name, queue, store }, directory, rounds)) && allMet;
    }
    return allMet;
  } finally {
    await removeDirectory(directory);
  }
}
