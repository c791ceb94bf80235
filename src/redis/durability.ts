import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import { gatewayField } from '../domain/gateway-field.ts';
import { type ConnectionOptions, RedisConnection } from './connection.ts';
import type { RedisAddress } from './options.ts';
import { listOf, textOf } from './replies.ts';

/** What a server says of itself; undefined what it does not tell. */
export interface ServerFacts {
  readonly version: string | undefined;
  readonly role: string | undefined;
  /** Replicas that are connected to it. */
  readonly replicas: number | undefined;
  readonly appendonly: string | undefined;
  readonly appendfsync: string | undefined;
  readonly noAppendfsyncOnRewrite: string | undefined;
  /** Bytes; 0: as many as there are. */
  readonly maxmemory: number | undefined;
  readonly maxmemoryPolicy: string | undefined;
}

export interface Durability {
  /** Of every master. */
  readonly servers: readonly ServerFacts[];
  /** Why a power cut may lose what was acknowledged, a sentence each; none: it does not. */
  readonly weaknesses: readonly string[];
}

/** Not all of them: others are secret. */
const settingNames = ['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite', 'maxmemory', 'maxmemory-policy'];

/** Connects, reads how durable what Redis acknowledges is, and leaves. Rejects as opening a store does. */
export async function readDurability(options: ConnectionOptions): Promise<Durability> {
  const connection = await RedisConnection.open(options);
  try {
    return await durabilityOf(connection);
  } finally {
    connection.close();
  }
}

/** See {@link readDurability}. Throws `INVALID_CONFIGURATION` where a gateway of ours answers: it keeps nothing itself. */
export async function durabilityOf(connection: RedisConnection): Promise<Durability> {
  const [information, settings] = await Promise.all([
    ask(connection, 'INFO'),
    ask(connection, 'CONFIG', 'GET', ...settingNames),
  ]);
  const count = Math.max(information?.length ?? 0, settings?.length ?? 0, 1);
  const servers = Array.from({ length: count }, (_, index) => {
    const told = parseInformation(textOf(information?.[index]) ?? '');
    if (told.has(gatewayField)) throw gatewayInstead(connection.where);
    const configured = settings === undefined ? [] : listOf(settings[index] ?? []).map(textOf);
    return factsOf(told, pairs(configured));
  });
  return { servers, weaknesses: [...new Set(servers.flatMap(weaknessesOf))] };
}

function gatewayInstead(where: string): PersistenceError {
  return new PersistenceError(
    'INVALID_CONFIGURATION',
    `${where} is a gateway of this project, which writes to a queue and keeps nothing itself: name a Redis, or another store`,
  );
}

/** What every master answers; undefined where the user may not ask. */
async function ask(connection: RedisConnection, name: 'INFO' | 'CONFIG', ...args: readonly string[]) {
  try {
    return await connection.everyMaster(name, ...args);
  } catch (error) {
    if (isPersistenceError(error) && /NOPERM|no permissions|unknown command/i.test(error.message)) return undefined;
    throw error;
  }
}

function factsOf(told: ReadonlyMap<string, string>, configured: ReadonlyMap<string, string>): ServerFacts {
  const enabled = told.get('aof_enabled');
  return {
    version: told.get('redis_version'),
    role: told.get('role'),
    replicas: numberOf(told.get('connected_slaves')),
    appendonly: configured.get('appendonly') ?? (enabled === undefined ? undefined : enabled === '1' ? 'yes' : 'no'),
    appendfsync: configured.get('appendfsync'),
    noAppendfsyncOnRewrite: configured.get('no-appendfsync-on-rewrite'),
    maxmemory: numberOf(configured.get('maxmemory') ?? told.get('maxmemory')),
    maxmemoryPolicy: configured.get('maxmemory-policy') ?? told.get('maxmemory_policy'),
  };
}

/** Why what this server acknowledges may be lost. */
function weaknessesOf(facts: ServerFacts): readonly string[] {
  const found: string[] = [];
  const must = (name: string, value: string | undefined, wanted: string, otherwise: string) => {
    if (value === undefined) found.push(`Redis does not tell ${name}: allow CONFIG GET, or make sure it is ${wanted}`);
    else if (value !== wanted) found.push(`${name} is ${value}, not ${wanted}: ${otherwise}`);
  };
  must('appendonly', facts.appendonly, 'yes', 'what was acknowledged is lost with the process');
  must('appendfsync', facts.appendfsync, 'always', 'a power cut loses what was acknowledged last');
  must('no-appendfsync-on-rewrite', facts.noAppendfsyncOnRewrite, 'no', 'during a rewrite nothing is synced');
  if (facts.maxmemory !== 0) {
    must('maxmemory-policy', facts.maxmemoryPolicy, 'noeviction', 'a full Redis throws away what it holds');
  }
  return found;
}

function parseInformation(text: string): ReadonlyMap<string, string> {
  const lines = text.split(/\r?\n/).map((line) => line.split(/:(.*)/s));
  return new Map(lines.flatMap(([name, value]) => (name !== undefined && value !== undefined ? [[name, value]] : [])));
}

function pairs(items: readonly (string | undefined)[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let index = 0; index + 1 < items.length; index += 2) found.set(items[index] ?? '', items[index + 1] ?? '');
  return found;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Why what a master acknowledges may be lost where Sentinels, or its cluster, put a replica in its place. */
export function failoverWeaknesses(address: RedisAddress, servers: readonly ServerFacts[]): readonly string[] {
  const hasSuccessor = 'nodes' in address && servers.some(({ replicas }) => (replicas ?? 0) > 0);
  if (!('sentinels' in address) && !hasSuccessor) return [];
  return ['a replica that takes over may lack what was acknowledged last: replication is asynchronous'];
}

/** Earlier ones write a script into the append-only file instead of what it did. */
const oldestVersion = 7;

/** Throws `INVALID_CONFIGURATION` for a Redis that is too old for what is asked of it. */
export function assertVersion({ servers }: Durability, where: string): void {
  for (const { version } of servers) {
    if (version === undefined || Number.parseInt(version, 10) >= oldestVersion) continue;
    throw new PersistenceError('INVALID_CONFIGURATION', `${where} is Redis ${version}; Redis 7 or newer is needed`);
  }
}
