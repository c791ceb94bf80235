import type { RedisAnswer, RedisReply } from '../ports/redis-peer.ts';

/** What a client is answered, by the peer or by the server itself. */
export type ServerReply =
  | RedisAnswer
  | { readonly kind: 'array'; readonly items: readonly ServerReply[]; readonly until?: never }
  /** A map in RESP3, in RESP2 an array in which each name stands before its value. */
  | { readonly kind: 'map'; readonly entries: readonly (readonly [string, ServerReply])[]; readonly until?: never };

export type StreamReply = Extract<RedisReply, { readonly kind: 'stream' }>;

/** A reply that is held whole. */
export type WholeReply = Exclude<ServerReply, StreamReply>;

export const ok: ServerReply = Object.freeze({ kind: 'simple', text: 'OK' });
export const queued: ServerReply = Object.freeze({ kind: 'simple', text: 'QUEUED' });
export const nothing: ServerReply = Object.freeze({ kind: 'null' });

export function simple(text: string): ServerReply {
  return { kind: 'simple', text };
}

/** `text` begins with its code. */
export function failure(text: string): ServerReply {
  return { kind: 'error', text };
}

export function bulk(text: string): ServerReply {
  return { kind: 'bulk', bytes: Buffer.from(text, 'utf8') };
}

export function integer(value: number): ServerReply {
  return { kind: 'integer', value };
}

const mostQuoted = 64;

/** What a client sent, to be quoted in an error: one line of plain characters, and not too long. */
export function quoted(sent: Uint8Array): string {
  const text = Buffer.from(sent.subarray(0, mostQuoted)).toString('latin1');
  return `'${text.replaceAll(/[^\x20-\x7e]|'/g, '?')}'`;
}
