import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { openRedisStore } from '../../src/stores/redis/redis-store.ts';
import { appendPlans } from '../store/commit-plans.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { best, type Contestant, contest, ratesOf, ratios, tellRates, tellRatio } from '../support/contest.ts';
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
 * the same entries in the same batches onto the same logs.
 */
export async function commitToRedis(commands: number, rounds: number): Promise<boolean> {
  const directory = await benchDirectory('redis');
  try {
    await using redis = await startRedis(directory, { appendfsync: 'always' });
    const client = new Redis(redis.port, '127.0.0.1', { protocol: 2 });
    const clear = async () => void (await client.flushall());
    const result = await contest(rounds, [
      { name: ours, run: () => commits(redis.port, commands), clear },
      { name: variadic, run: () => batches(client, commands), clear },
      { name: single, run: () => singles(client), clear },
    ] satisfies Contestant[]);
    client.disconnect();
    tellRates(`Committing ${commands} appends of ${sessions} interleaved sessions, synced`, 'entries', result);
    const rates = ratesOf(result, ours);
    const besideBatches = tellRatio(`beside ${variadic}`, ratios(rates, ratesOf(result, variadic)), 0.6);
    const besideSingles = tellRatio(`beside ${single}`, ratios(rates, best([ratesOf(result, single)])), 15);
    return besideBatches && besideSingles;
  } finally {
    await removeDirectory(directory);
  }
}

async function commits(port: number, commands: number): Promise<number> {
  const connection = { host: '127.0.0.1', port, database: 0 };
  await using store = await openRedisStore({ connection, prefix: 'bench', newId: randomUUID });
  for (const plan of appendPlans(sessionIds(sessions), commands, perCommit)) await store.commit(plan);
  return commands;
}

async function batches(client: Redis, commands: number): Promise<number> {
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
    const batch = client.multi();
    for (const [id, log] of logs) batch.rpush(`bench:log:${id}`, ...log);
    await batch.exec();
  }
  return commands;
}

async function singles(client: Redis): Promise<number> {
  const ids = sessionIds(sessions);
  const entries = entryPool(4096);
  for (let index = 0; index < oneByOne; index += 1) {
    await client.rpush(`bench:log:${ids[index % ids.length]}`, entries[index % entries.length] as Buffer);
  }
  return oneByOne;
}
