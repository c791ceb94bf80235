import { PersistenceError } from '../../domain/errors.ts';
import type { StoreIdentity } from '../../ports/store.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { numberOf, textOf } from '../../redis/replies.ts';
import { adoptSessions } from './adopt.ts';
import { adoptChanges, assertUnchanged } from './changed-elsewhere.ts';
import type { KeySpace } from './keys.ts';
import { exchangeScript, permissionsScript } from './maintenance-scripts.ts';

/** The layout that this code reads and writes. */
const layoutVersion = 1;

/** Who the store is, and the text that says so in it. */
export interface Layout {
  readonly identity: StoreIdentity;
  readonly text: string;
}

/** The stored text, read: `adopting` while sessions that upstream wrote are still without a cursor. */
interface Inscription extends StoreIdentity {
  readonly adopting?: true;
}

export interface Settling {
  /** A fresh random UUID: the identity of a new store. */
  readonly newId: () => string;
  /** Whether to take the store as it is now where upstream wrote to it after us. */
  readonly adoptChanges: boolean;
}

/**
 * The identity of the store under these keys; a new one is given a `newId`, and where upstream's sessions lie they are
 * adopted first. Several processes may do so at once, and any of them may be killed: one that comes later goes on.
 * Where upstream wrote after us, that is adopted if it may be, else `STORE_CHANGED_ELSEWHERE`.
 * Throws `STORE_TOO_NEW`, `STORE_CORRUPT` (also where there is something of a store but no identity), and
 * `INVALID_CONFIGURATION` when the user may not do what a store does.
 */
export async function settleLayout(connection: RedisConnection, keys: KeySpace, settling: Settling): Promise<Layout> {
  const { newId } = settling;
  const text = (await readText(connection, keys)) ?? (await found(connection, keys, newId()));
  const inscription = parse(text, connection.where, keys);
  await connection.script(permissionsScript, [keys.identity, `${keys.identity}:none`], []);
  const identity: StoreIdentity = { kind: inscription.kind, id: inscription.id, layoutVersion };
  if (inscription.adopting === undefined) {
    // In a cluster the layout is our own: nothing else knows it.
    if (keys.kind === 'redis' && settling.adoptChanges) await adoptChanges(connection, keys, text);
    else if (keys.kind === 'redis') await assertUnchanged(connection, keys);
    return { identity, text };
  }
  await adoptSessions(connection, keys, text);
  const settled = JSON.stringify(identity);
  await connection.script(exchangeScript, [keys.identity], [text, settled]);
  return { identity, text: settled };
}

/** Founds a store where there is none yet, unless somebody else just does. */
async function found(connection: RedisConnection, keys: KeySpace, id: string): Promise<string> {
  const isOurs = await holdsAny(connection, ownKeys(keys));
  if (isOurs) {
    // Founded, and written to, by somebody else since the identity was looked for?
    const text = await readText(connection, keys);
    if (text !== undefined) return text;
    throw new PersistenceError('STORE_CORRUPT', `${connection.where} holds a store without ${keys.identity}`);
  }
  const adopting = keys.kind === 'redis' && (await holdsAny(connection, [keys.home.sessions]));
  const inscription: Inscription = { kind: keys.kind, id, layoutVersion, ...(adopting ? { adopting } : {}) };
  await connection.command('SET', keys.identity, JSON.stringify(inscription), 'NX');
  return (await readText(connection, keys)) ?? '';
}

/** Whether there is a store, or sessions of upstream's that one would adopt. */
export async function holdsStore(connection: RedisConnection, keys: KeySpace): Promise<boolean> {
  return await holdsAny(connection, [keys.identity, ...(keys.kind === 'redis' ? [keys.home.sessions] : [])]);
}

function ownKeys({ positions, buckets }: KeySpace): readonly string[] {
  const names = ['cursors', 'order', 'generations', 'largest', 'filed', 'filedOrder', 'totals'] as const;
  return [positions, ...buckets.flatMap((bucket) => names.map((name) => bucket[name]))];
}

async function holdsAny(connection: RedisConnection, keys: readonly string[]): Promise<boolean> {
  const found = await Promise.all(keys.map((key) => connection.command('EXISTS', key)));
  return found.some((count) => numberOf(count) > 0);
}

async function readText(connection: RedisConnection, keys: KeySpace): Promise<string | undefined> {
  return textOf(await connection.command('GET', keys.identity));
}

function parse(text: string, where: string, keys: KeySpace): Inscription {
  const { kind, id, layoutVersion: version, adopting } = parseJson(text);
  if (kind !== keys.kind || typeof id !== 'string' || !Number.isSafeInteger(version) || Number(version) < 1) {
    const shown = JSON.stringify(text.slice(0, 200));
    throw new PersistenceError(
      'STORE_CORRUPT',
      `${where}: ${keys.identity} cannot be read as that of a store: ${shown}`,
    );
  }
  if (Number(version) > layoutVersion) {
    throw new PersistenceError(
      'STORE_TOO_NEW',
      `${where} holds a store of layout version ${version}; this release knows ${layoutVersion}`,
    );
  }
  return { kind: keys.kind, id, layoutVersion: Number(version), ...(adopting === true ? { adopting } : {}) };
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (cause) {
    if (cause instanceof SyntaxError) return {};
    throw cause;
  }
}
