import { Redis } from 'ioredis';

/** A client that sees bytes, for looking at what a store has done from outside. */
export function rawClient(port: number): Redis {
  return new Redis(port, '127.0.0.1', { protocol: 2, maxRetriesPerRequest: null });
}

/** Every key that begins with `prefix` and what it holds, as Redis serialises it; lifetimes left out. */
export async function dumpKeys(client: Redis, prefix: string): Promise<ReadonlyMap<string, string>> {
  const keys: string[] = [];
  for await (const page of client.scanStream({ match: `${prefix}*`, count: 1000 })) keys.push(...page);
  const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
  const pairs = keys.map((key, index) => [key, dumps[index]?.toString('base64') ?? 'gone'] as const);
  return new Map(pairs.sort(([one], [other]) => (one < other ? -1 : 1)));
}
