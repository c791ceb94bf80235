import { compareText } from '../../domain/documents/text-order.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { DeadLetter } from '../../domain/plan.ts';
import type { CopySource, SourcePosition, SourceSession } from '../../ports/copy-source.ts';
import { RedisConnection } from '../../redis/connection.ts';
import { storeUse } from '../../redis/failures.ts';
import type { RedisSentinels, RedisServer } from '../../redis/options.ts';
import { bytesOf, listOf, numberOf, textOf } from '../../redis/replies.ts';
import { type UpstreamDocuments, type UpstreamEntry, UpstreamSession } from '../upstream-session.ts';
import { type Bucket, type KeySpace, standaloneKeys } from './keys.ts';
import { readUpstreamEntries, sessionOfMember } from './upstream-sessions.ts';

export interface UpstreamRedisOptions {
  readonly connection: RedisServer | RedisSentinels;
  readonly prefix: string;
  readonly answerTimeoutMs: number;
}

/** What lies under a prefix: nothing, what macp-runtime wrote, or a store of ours over it. */
export type UpstreamContent = 'nothing' | 'upstream' | 'own';

/** Looks what lies under a prefix, and writes nothing. */
export async function examineUpstreamRedis(options: UpstreamRedisOptions): Promise<UpstreamContent> {
  const connection = await connect(options);
  try {
    const { identity, home } = standaloneKeys(options.prefix);
    const holds = async (key: string): Promise<boolean> => numberOf(await connection.command('EXISTS', key)) > 0;
    if (await holds(identity)) return 'own';
    return (await holds(home.sessions)) ? 'upstream' : 'nothing';
  } finally {
    connection.close();
  }
}

/** Opens what macp-runtime has stored under the prefix, to be read only. Throws as opening a Redis store does. */
export async function openUpstreamRedis(options: UpstreamRedisOptions): Promise<CopySource> {
  return new UpstreamRedisSource(await connect(options), options);
}

function connect({ connection, answerTimeoutMs }: UpstreamRedisOptions): Promise<RedisConnection> {
  return RedisConnection.open({ address: connection, use: storeUse, answerTimeoutMs });
}

const membersAtOnce = 1_000;

class UpstreamRedisSource implements CopySource {
  readonly name: string;
  readonly #connection: RedisConnection;
  readonly #keys: KeySpace;
  #sessions: Promise<readonly SessionId[]> | undefined;

  constructor(connection: RedisConnection, { connection: server, prefix }: UpstreamRedisOptions) {
    this.#connection = connection;
    this.#keys = standaloneKeys(prefix);
    const place = 'sentinels' in server ? server.master : `${server.host}:${server.port}`;
    this.name = `redis://${place}/${server.database}?prefix=${prefix}`;
  }

  async count(): Promise<number> {
    return (await this.#members()).length;
  }

  async *sessions(): AsyncGenerator<SessionId> {
    yield* await this.#members();
  }

  async open(session: SessionId): Promise<SourceSession | undefined> {
    return new UpstreamSession(session, new RedisDocuments(this.#connection, this.#keys.home, session));
  }

  async positions(): Promise<readonly SourcePosition[]> {
    return [];
  }

  async *withoutSession(): AsyncGenerator<readonly DeadLetter[]> {
    // Upstream knows no dead letters.
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #members(): Promise<readonly SessionId[]> {
    this.#sessions ??= this.#readMembers();
    return this.#sessions;
  }

  /** All at once: a scan gives them in no order, and some of them twice. */
  async #readMembers(): Promise<readonly SessionId[]> {
    const found = new Set<SessionId>();
    let place = '0';
    do {
      const [next, members] = listOf(
        await this.#connection.command('SSCAN', this.#keys.home.sessions, place, 'COUNT', String(membersAtOnce)),
      );
      for (const member of listOf(members ?? [])) found.add(sessionOfMember(member, this.#connection.where));
      place = textOf(next) ?? '0';
    } while (place !== '0');
    return [...found].sort(compareText);
  }
}

class RedisDocuments implements UpstreamDocuments {
  readonly snapshotPlace: string;
  readonly #connection: RedisConnection;
  readonly #bucket: Bucket;
  readonly #session: SessionId;

  constructor(connection: RedisConnection, bucket: Bucket, session: SessionId) {
    this.snapshotPlace = `the string ${bucket.session(session)}`;
    this.#connection = connection;
    this.#bucket = bucket;
    this.#session = session;
  }

  async *log(): AsyncGenerator<readonly UpstreamEntry[]> {
    const key = this.#bucket.log(this.#session);
    const entries = numberOf(await this.#connection.command('LLEN', key));
    for (let at = 0; at < entries; ) {
      const page = await readUpstreamEntries(this.#connection, this.#bucket, this.#session, at, entries - at);
      if (page.length === 0) throw shortened(key);
      yield page.map((bytes, index) => ({ bytes, place: `the list ${key}, item ${at + index}` }));
      at += page.length;
    }
  }

  snapshot(): Promise<Uint8Array | undefined> {
    return this.#get(this.#bucket.session(this.#session));
  }

  receipt(): Promise<Uint8Array | undefined> {
    return this.#get(this.#bucket.receipt(this.#session));
  }

  anchor(): Promise<Uint8Array | undefined> {
    return this.#get(this.#bucket.anchor(this.#session));
  }

  async #get(key: string): Promise<Uint8Array | undefined> {
    return bytesOf(await this.#connection.command('GET', key));
  }
}

function shortened(key: string): PersistenceError {
  return new PersistenceError(
    'INVALID_INPUT',
    `the list ${key} became shorter while it was read: stop the runtime that writes to it first`,
  );
}
