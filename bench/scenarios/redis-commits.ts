import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { openRedisStore } from '../../src/stores/redis/redis-store.ts';
import { appendPlans } from '../store/commit-plans.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { alternate, ratesOf, ratios, tellRates, tellRatio } from '../support/contest.ts';
import { entryPool, sessionIds } from '../support/entries.ts';
import { startRedis } from '../support/services.ts';

const sessions = 5_000;
/** Most bytes that a commit of a worker takes by default, in entries of this bench. */
const perCommit = 9_900;
/** One awaited command at a time needs no more to be measured. */
const oneByOne = 2_000;

const ours = 'redis store';
const variadic = 'variadic RPUSH a session, one MULTI a batch';
const single = 'one awaited RPUSH an entry';

/**
 * Commits into a Redis with `appendfsync always`, beside what is left without cursors, positions, checks and totals:
 * the same entries in the same batches onto the same logs. Only writing is timed, not what a worker has decided before.
 */
export async function commitToRedis(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('redis');
  try {
    // A rewrite of the append-only file would hit whoever happens to have his turn.
    await using redis = await startRedis(directory, { appendfsync: 'always', 'auto-aof-rewrite-percentage': '0' });
    const client = new Redis(redis.port, '127.0.0.1', { protocol: 2 });
    const cleared = (rate: () => Promise<number>) => async () => {
      await client.flushall();
      return rate();
    };
    const result = await alternate(rounds, [
      { name: ours, rate: cleared(() => commits(redis.port, commands)) },
      { name: variadic, rate: cleared(() => batches(client, commands)) },
      { name: single, rate: cleared(() => singles(client)) },
    ]);
    client.disconnect();
    tellRates(`Committing ${commands} appends of ${sessions} interleaved sessions, synced`, 'entries', result);
    const rates = ratesOf(result, ours);
    const besideBatches = tellRatio(`beside ${variadic}`, ratios(rates, ratesOf(result, variadic)), 0.6);
    const besideSingles = tellRatio(`beside ${single}`, ratios(rates, ratesOf(result, single)), 15);
    return besideBatches && besideSingles;
  } finally {
    await removeDirectory(directory);
  }
}

async function commits(port: number, commands: number): Promise<number> {
  const connection = { host: '127.0.0.1', port, database: 0 };
  await using store = await openRedisStore({ connection, prefix: 'bench', newId: randomUUID });
  return await timed(appendPlans(sessionIds(sessions), commands, perCommit), commands, (plan) => store.commit(plan));
}

async function batches(client: Redis, commands: number): Promise<number> {
  return timed(groupedEntries(commands), commands, async (logs) => {
    const batch = client.multi();
    for (const [id, log] of logs) batch.rpush(`bench:log:${id}`, ...log);
    await batch.exec();
  });
}

/** Entries by session, a batch at a time. */
function* groupedEntries(commands: number): Generator<ReadonlyMap<SessionId, readonly Buffer[]>> {
  const ids = sessionIds(sessions);
  const entries = entryPool(4096);
  for (let done = 0; done < commands; done += perCommit) {
    const logs = new Map<SessionId, Buffer[]>();
    for (let index = done; index < Math.min(done + perCommit, commands); index += 1) {
      const id = ids[index % ids.length] as SessionId;
      const log = logs.get(id) ?? [];
      log.push(entries[index % entries.length] as Buffer);
      logs.set(id, log);
    }
    yield logs;
  }
}

async function singles(client: Redis): Promise<number> {
  const ids = sessionIds(sessions);
  return timed(entryPool(oneByOne).entries(), oneByOne, async ([index, entry]) => {
    await client.rpush(`bench:log:${ids[index % ids.length]}`, entry as Buffer);
  });
}

/** `units` a second, of the time that `work` takes alone. */
async function timed<Item>(items: Iterable<Item>, units: number, work: (item: Item) => Promise<void>): Promise<number> {
  let milliseconds = 0;
  for (const item of items) {
    const start = performance.now();
    await work(item);
    milliseconds += performance.now() - start;
  }
  return (units * 1000) / milliseconds;
}
