import type { SessionId } from '../domain/identifiers.ts';
import type { RedisReply } from '../ports/redis-peer.ts';
import type { Write } from './operations.ts';
import type { Written } from './write-outcome.ts';

const ok: RedisReply = { kind: 'simple', text: 'OK' };
export const nothing: RedisReply = { kind: 'null' };

export function integer(value: number): RedisReply {
  return { kind: 'integer', value };
}

/** An error reply: one line, whatever the text is made of. */
export function failure(because: string): RedisReply {
  return { kind: 'error', text: `ERR ${because.replaceAll(/\s*[\r\n]\s*/g, '; ')}` };
}

const membersAtOnce = 1_000;

/** The set of these sessions: their bytes are made while they are sent. */
export function sessionSet(sessions: readonly SessionId[]): RedisReply {
  return { kind: 'stream', of: 'set', count: sessions.length, chunks: membersOf(sessions) };
}

async function* membersOf(sessions: readonly SessionId[]): AsyncGenerator<readonly Uint8Array[]> {
  for (let from = 0; from < sessions.length; from += membersAtOnce)
    yield sessions.slice(from, from + membersAtOnce).map((session) => Buffer.from(session, 'utf8'));
}

/** What Redis would answer to the requests that a write was made of, one reply each. */
export function repliesTo(write: Write, { before, removed }: Written): readonly RedisReply[] {
  switch (write.kind) {
    case 'create':
      return [integer(before.exists ? 0 : 1)];
    case 'append':
      return [integer(before.entries + 1)];
    case 'save':
    case 'anchor':
      return [ok];
    case 'receipt':
      if (write.reply === 'integer') return [integer(before.hasReceipt ? 0 : 1)];
      return [before.hasReceipt ? nothing : ok];
    case 'replace':
      return [integer(before.entries > 0 ? 1 : 0), ...lengthsAfter(write.pushes).map(integer)];
    case 'delete': {
      const counts = write.deletions.map((documents) => documents.filter((kind) => removed?.has(kind)).length);
      return [...counts, before.exists ? 1 : 0].map(integer);
    }
  }
}

function lengthsAfter(pushes: readonly (readonly Uint8Array[])[]): readonly number[] {
  let length = 0;
  return pushes.map((entries) => {
    length += entries.length;
    return length;
  });
}
