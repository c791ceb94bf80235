import { join } from 'node:path';
import type { PublishRead, PublishReadRequest } from '../http/publish-read-program.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { kafkaUrl, makeTopic } from '../support/kafka-topic.ts';
import { tellLatencies } from '../support/latencies.ts';
import { runProgram, startService } from '../support/programs.ts';
import { startKafka, startRedis } from '../support/services.ts';

const rate = 1_000;
const seconds = 5;
/** Milliseconds until an entry is readable that are aimed at. */
const aim = { median: 25, p99: 150 } as const;

/**
 * Publish to readable over HTTP through Kafka, into the level store and into a Redis that syncs every commit: every
 * command is sent on its own, at 1,000 a second, and its entry read back with `min_sequence`.
 */
export async function readFromKafka(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('kafka-read');
  try {
    await using kafka = await startKafka(directory);
    await using redis = await startRedis(directory);
    const stores = { level: `level:${join(directory, 'level')}`, redis: `redis://127.0.0.1:${redis.port}/0` };
    console.log(`\nPublish to readable through Kafka, ${rate} commands/s, milliseconds (medians of ${rounds} rounds)`);
    let allMet = true;
    for (const [store, address] of Object.entries(stores)) {
      const queue = kafkaUrl(kafka.addresses(), `read-${store}`);
      await makeTopic(kafka.addresses(), `read-${store}`);
      const flags = ['--queue', queue, '--store', address, '--http-maximum-rate', '1000000'];
      await using service = await startService(join(directory, `data-${store}`), flags);
      const request: PublishReadRequest = { url: service.url, directory, rate, seconds, rounds };
      const results = await runProgram<readonly PublishRead[]>('http/publish-read', request);
      allMet = tell(store, results) && allMet;
    }
    return allMet;
  } finally {
    await removeDirectory(directory);
  }
}

function tell(store: string, results: readonly PublishRead[]): boolean {
  const readable = tellLatencies(
    `POST, then GET with min_sequence, ${store}`,
    results.map((result) => result.readable),
  );
  tellLatencies(
    'bare write and fdatasync of the same bytes',
    results.map(({ sync }) => sync),
  );
  const met = readable.median <= aim.median && readable.p99 <= aim.p99;
  console.log(`  aimed at ${aim.median} and ${aim.p99} ms in the median and at p99: ${met ? 'met' : 'MISSED'}`);
  return met;
}
