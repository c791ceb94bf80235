import { Redis } from 'ioredis';
import type { Latencies } from '../http/publish-read-program.ts';
import { median } from './contest.ts';
import { entryPool, sessionIds } from './entries.ts';
import { tellLatencies } from './latencies.ts';
import { startRedis } from './services.ts';

/** Something that entries are appended to, one durable answer each. */
export interface Appended extends AsyncDisposable {
  append(session: string, entry: Uint8Array): Promise<unknown>;
}

/** How many are in flight, and how many are appended in a round. */
const loads = [
  [1, 400],
  [16, 4_000],
  [256, 25_000],
] as const;

/** Appends to each in turn, several rounds, and prints what it took; before that, untimed, to every session once. */
export async function compareAppends(
  rounds: number,
  contestants: readonly (readonly [name: string, appended: Appended])[],
): Promise<void> {
  const sessions = sessionIds(1_000);
  const entries = entryPool(4096);
  for (const [, appended] of contestants) await timeAppends(appended, sessions, entries, sessions.length, 50);
  for (const [inFlight, count] of loads) {
    const times = contestants.map(([name, appended]) => ({ name, appended, rounds: [] as AppendTimes[] }));
    for (let round = 0; round < rounds; round += 1) {
      for (const each of round % 2 === 0 ? times : [...times].reverse()) {
        each.rounds.push(await timeAppends(each.appended, sessions, entries, count, inFlight));
      }
    }
    console.log(`\nAppending one entry, ${inFlight} in flight, milliseconds`);
    for (const each of times) {
      tellLatencies(each.name, each.rounds);
      console.log(`  ${''.padEnd(44)} ${median(each.rounds.map(({ perSecond }) => perSecond)).toFixed(0)} entries/s`);
    }
  }
}

/** What a round of appends took: how many a second, and each of them in milliseconds. */
interface AppendTimes extends Latencies {
  readonly perSecond: number;
}

/**
 * Appends `count` entries that go round and round over the sessions, `inFlight` at a time, none of a session before the
 * one before it is answered.
 */
async function timeAppends(
  appended: Appended,
  sessions: readonly string[],
  entries: readonly Uint8Array[],
  count: number,
  inFlight: number,
): Promise<AppendTimes> {
  const times: number[] = [];
  let next = 0;
  const appendRest = async (lane: number): Promise<void> => {
    const own = sessions.filter((_, index) => index % inFlight === lane);
    for (let turn = 0; next < count; turn += 1) {
      const entry = entries[next % entries.length] ?? Buffer.alloc(0);
      next += 1;
      const begun = performance.now();
      await appended.append(own[turn % own.length] ?? '', entry);
      times.push(performance.now() - begun);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, (_, lane) => appendRest(lane)));
  const perSecond = count / ((performance.now() - start) / 1000);
  times.sort((one, other) => one - other);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  return { perSecond, median: at(0.5), p99: at(0.99), most: at(1) };
}

/** `RPUSH`, one connection, to a redis-server of this run's own with `appendfsync always`. */
export async function redisAppended(directory: string): Promise<Appended> {
  const server = await startRedis(directory);
  const redis = new Redis({ port: server.port, host: '127.0.0.1' });
  return {
    append: (session, entry) => redis.rpush(`macp:log:${session}`, Buffer.from(entry)),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}
