import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { openQueue, queueAddress } from '../../src/compose/open.ts';
import { encodeBinary } from '../../src/domain/wire/binary.ts';
import { eventOf } from '../../src/queues/bullmq/job-events.ts';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import type { ConsumeRequest } from '../bullmq/consume-program.ts';
import { type BareOptions, bareOptions, bareRates, benchDirectory, removeDirectory } from '../support/bare.ts';
import type { Consumed } from '../support/consumed.ts';
import {
  alternate,
  type MeasuredContestant,
  ratesOf,
  ratios,
  slower,
  tellRates,
  tellRatio,
} from '../support/contest.ts';
import { interleavedAppends, sessionIds } from '../support/entries.ts';
import { tellPeak } from '../support/footprint.ts';
import { fillQueue, valuesOf } from '../support/pipeline.ts';
import { runMeasured } from '../support/programs.ts';
import { startRedis } from '../support/services.ts';

const sessions = 5_000;
const shards = 4;
const prefix = 'bench';
const stockQueue = 'stock';
/** The stock pattern would take minutes for what the others do in seconds. */
const stockCommands = 10_000;
const limitMebibytes = 350;

const ours = 'BullMQ -> pipeline -> level store';
const archiving = 'the same, archived before';
const nothing = 'the same jobs, 4 Workers, nothing done';
const stock = 'one job a command, one Worker, a synced put each';
const idleStock = 'one job a command, one Worker, nothing done';

/**
 * A backlog in 4 shards, persisted into the level store, every commit synced, and the same with an archive; beside
 * BullMQ's own Workers that do nothing with the same jobs, the bare synced batches of the same entries into
 * classic-level, and the ordered pattern that one would use first, with and without its writing. Each in a process of
 * its own. Redis syncs once a second, as it does by default.
 */
export async function persistFromBullmq(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('bullmq-persist');
  try {
    await using redis = await startRedis(directory, {
      appendfsync: 'everysec',
      'auto-aof-rewrite-percentage': '0',
    });
    const store = join(directory, 'store');
    const archive = join(directory, 'archive');
    const peaks: number[] = [];
    const contestant = (
      name: string,
      how: ConsumeRequest['how'],
      fill: (port: number) => Promise<number>,
      options?: BareOptions,
    ): MeasuredContestant => ({
      name,
      async rate() {
        const count = await fill(redis.port);
        const place = { port: redis.port, prefix, archive, shards, stockQueue };
        const request = { ...place, how, commands: count, sessions, directory: store, options };
        const { result, mebibytes } = await runMeasured<Consumed>('bullmq/consume', request);
        if (how === 'worker') peaks.push(mebibytes);
        await Promise.all([store, archive].map(removeDirectory));
        await emptied(redis.port);
        return result.commands / result.seconds;
      },
    });
    const fillOurs = (port: number) => fillShards(port, commands);
    const result = await alternate(rounds, [
      contestant(ours, 'worker', fillOurs),
      contestant(archiving, 'archiving worker', fillOurs),
      contestant(nothing, 'nothing', fillOurs),
      contestant(stock, 'stock', fillStock),
      contestant(idleStock, 'stock, nothing done', fillStock),
      ...Object.entries(bareOptions).map(([name, options]) =>
        contestant(name, 'bare store', async () => commands, options),
      ),
    ]);
    tellRates(`Persisting ${commands} commands of ${sessions} sessions from ${shards} shards`, 'entries', result);
    const rates = ratesOf(result, ours);
    const idle = ratesOf(result, nothing);
    const bare = bareRates(result);
    const besideStock = tellRatio('to the stock pattern', ratios(rates, ratesOf(result, stock)), 20);
    const besideSlower = tellRatio(
      'to the slower of the idle Workers and the bare store',
      ratios(rates, slower(idle, bare)),
      0.8,
    );
    tellRatio('with an archive, to that without', ratios(ratesOf(result, archiving), rates));
    tellRatio('to the stock pattern that writes nothing', ratios(rates, ratesOf(result, idleStock)));
    tellRatio('to the idle Workers alone', ratios(rates, idle));
    tellRatio('to the bare store alone', ratios(rates, bare));
    const isSmall = tellPeak(Math.max(...peaks), limitMebibytes);
    // On a disk that syncs at once there is no room for twenty times: one of the two will do.
    return (besideStock || besideSlower) && isSmall;
  } finally {
    await removeDirectory(directory);
  }
}

async function fillShards(port: number, commands: number): Promise<number> {
  const values = valuesOf({
    queue: `bullmq://127.0.0.1:${port}/0?prefix=${prefix}`,
    'bullmq-shards': String(shards),
    'bullmq-maximum-backlog': '8GiB',
  });
  await using queue = await openQueue(queueAddress(values), values);
  await fillQueue(queue, sessions, commands);
  return commands;
}

async function fillStock(port: number): Promise<number> {
  const connection = new Redis(port, { maxRetriesPerRequest: null });
  const queue = new Queue(stockQueue, { connection, prefix: bullmqKeys(prefix).prefix });
  const jobs = [...interleavedAppends(sessionIds(sessions), stockCommands)].map((command) => ({
    name: 'command',
    data: { events: [eventOf(encodeBinary(command))] },
  }));
  for (let at = 0; at < jobs.length; at += 1_000) await queue.addBulk(jobs.slice(at, at + 1_000));
  await queue.close();
  connection.disconnect();
  return stockCommands;
}

async function emptied(port: number): Promise<void> {
  const client = new Redis(port);
  await client.flushall();
  client.disconnect();
}
