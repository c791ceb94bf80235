import type {
  RedisArity,
  RedisClient,
  RedisConversation,
  RedisPeer,
  RedisReply,
  RedisRequest,
} from '../../../src/ports/redis-peer.ts';

const many = Number.POSITIVE_INFINITY;
const ok: RedisReply = { kind: 'simple', text: 'OK' };

/** Whom tests let the server speak for: a small Redis in memory, whose every request is counted. */
export class KeyValuePeer implements RedisPeer {
  readonly commands: ReadonlyMap<string, RedisArity> = new Map([
    ['GET', { least: 1, most: 1 }],
    ['SET', { least: 2, most: 2 }],
    ['DEL', { least: 1, most: many }],
    ['RPUSH', { least: 2, most: many }],
    ['LRANGE', { least: 3, most: 3 }],
    ['SADD', { least: 2, most: many }],
    ['SMEMBERS', { least: 1, most: 1 }],
  ]);
  readonly clients: RedisClient[] = [];
  /** What was begun, in order: a transaction is one array. */
  readonly begun: (readonly RedisRequest[])[] = [];
  /** Connections that are gone. */
  gone = 0;
  readonly #values = new Map<string, Uint8Array>();
  readonly #lists = new Map<string, Uint8Array[]>();
  readonly #sets = new Map<string, Map<string, Uint8Array>>();

  converse(client: RedisClient): RedisConversation {
    this.clients.push(client);
    return {
      request: async (request) => {
        this.begun.push([request]);
        return this.#answer(request);
      },
      transaction: async (requests) => {
        this.begun.push(requests);
        return { kind: 'array', items: requests.map((request) => this.#answer(request)) };
      },
      closed: () => {
        this.gone += 1;
      },
    };
  }

  #answer({ command, arguments: [sent, ...rest] }: RedisRequest): RedisReply {
    const key = Buffer.from(sent ?? []).toString('latin1');
    switch (command) {
      case 'GET':
        return bulk(this.#values.get(key));
      case 'SET':
        this.#values.set(key, rest[0] ?? new Uint8Array());
        return ok;
      case 'DEL':
        return {
          kind: 'integer',
          value: [this.#values, this.#lists, this.#sets].filter((map) => map.delete(key)).length,
        };
      case 'RPUSH':
        return { kind: 'integer', value: listOf(this.#lists, key).push(...rest) };
      case 'LRANGE': {
        const values = this.#lists.get(key) ?? [];
        return { kind: 'stream', of: 'array', count: values.length, chunks: pagesOf(values) };
      }
      case 'SADD': {
        const members = this.#sets.get(key) ?? new Map<string, Uint8Array>();
        this.#sets.set(key, members);
        const before = members.size;
        for (const member of rest) members.set(Buffer.from(member).toString('latin1'), member);
        return { kind: 'integer', value: members.size - before };
      }
      case 'SMEMBERS': {
        const members = [...(this.#sets.get(key)?.values() ?? [])];
        return { kind: 'stream', of: 'set', count: members.length, chunks: pagesOf(members) };
      }
      default:
        return { kind: 'error', text: `ERR ${command} should never have come here` };
    }
  }
}

function bulk(bytes: Uint8Array | undefined): RedisReply {
  return bytes === undefined ? { kind: 'null' } : { kind: 'bulk', bytes };
}

function listOf(lists: Map<string, Uint8Array[]>, key: string): Uint8Array[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

async function* pagesOf(values: readonly Uint8Array[]): AsyncIterable<readonly Uint8Array[]> {
  for (let from = 0; from < values.length; from += 100) yield values.slice(from, from + 100);
}
