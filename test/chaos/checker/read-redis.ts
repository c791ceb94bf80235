import { Redis } from 'ioredis';
import type { Stored, StoredSession } from './model.ts';

const together = 200;

/** Reads a store in Redis by its keys: upstream's own, and what the product keeps beside them for people. */
export async function readRedis(address: string, prefix: string): Promise<Stored> {
  const redis = new Redis(address);
  try {
    const names = new Set(await redis.smembers(`${prefix}:sessions`));
    const letters = await deadLettersIn(redis, prefix);
    const sessions = new Map<string, StoredSession>();
    const others: string[] = [];
    for (const part of parts([...names])) {
      const read = await Promise.all(part.map((name) => sessionIn(redis, prefix, name, letters.get(name) ?? [])));
      for (const [index, name] of part.entries()) sessions.set(name, read[index] as StoredSession);
    }
    const kinds = ['session', 'log', 'receipt', 'anchor', 'worker:parked-headers', 'worker:parked-commands'];
    for (const key of await keysUnder(redis, prefix)) {
      const kind = kinds.find((one) => key.startsWith(`${prefix}:${one}:`));
      if (kind !== undefined && !names.has(key.slice(`${prefix}:${kind}:`.length))) others.push(key);
    }
    for (const name of letters.keys()) if (!names.has(name)) others.push(`a dead letter of ${name}`);
    return { sessions, others };
  } finally {
    redis.disconnect();
  }
}

async function sessionIn(
  redis: Redis,
  prefix: string,
  name: string,
  deadLetters: readonly string[],
): Promise<StoredSession> {
  const [log, snapshot, parked] = await Promise.all([
    redis.lrange(`${prefix}:log:${name}`, 0, -1),
    redis.get(`${prefix}:session:${name}`),
    redis.hlen(`${prefix}:worker:parked-headers:${name}`),
  ]);
  return { log, snapshot: snapshot ?? undefined, deadLetters, parked };
}

/** Dead letters by session: the names in their hash are the session, a NUL, and the dead letter's own. */
async function deadLettersIn(redis: Redis, prefix: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const letters = new Map<string, string[]>();
  for (const [name, letter] of Object.entries(await redis.hgetall(`${prefix}:worker:filed`))) {
    const session = name.slice(0, name.indexOf('\0'));
    letters.set(session, [...(letters.get(session) ?? []), letter]);
  }
  return letters;
}

async function keysUnder(redis: Redis, prefix: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  let at = '0';
  do {
    const [next, found] = await redis.scan(at, 'MATCH', `${prefix}:*`, 'COUNT', 1_000);
    for (const key of found) keys.add(key);
    at = next;
  } while (at !== '0');
  return [...keys];
}

function* parts(names: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < names.length; at += together) yield names.slice(at, at + together);
}
