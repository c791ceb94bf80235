import { join } from 'node:path';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { readableRate, tellReadable } from '../support/readable.ts';
import { startRedis } from '../support/services.ts';

/**
 * Publish to readable through BullMQ on a Redis that syncs whatever it acknowledges, into the level store and into the
 * same Redis.
 */
export async function readFromBullmq(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('bullmq-read');
  try {
    await using redis = await startRedis(directory);
    const address = `127.0.0.1:${redis.port}/0`;
    const stores = { level: `level:${join(directory, 'level')}`, redis: `redis://${address}` };
    console.log(
      `\nPublish to readable through BullMQ, ${readableRate} commands/s, milliseconds (medians of ${rounds} rounds)`,
    );
    let allMet = true;
    for (const [name, store] of Object.entries(stores)) {
      const queue = `bullmq://${address}?prefix=read-${name}`;
      allMet = (await tellReadable({ name, queue, store }, directory, rounds)) && allMet;
    }
    return allMet;
  } finally {
    await removeDirectory(directory);
  }
}
