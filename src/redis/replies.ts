import { PersistenceError } from '../domain/errors.ts';
import type { Reply } from './command.ts';

/** The items of an answer that is a list. */
export function listOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? reply : unexpected(reply);
}

/** Bytes, which nobody else writes to; undefined where there is nothing. They keep all that came with them in memory. */
export function bytesOf(reply: Reply | undefined): Uint8Array | undefined {
  if (reply === null || reply === undefined) return undefined;
  return reply instanceof Buffer ? reply : unexpected(reply);
}

/** Text that is known to be one; undefined where there is nothing. */
export function textOf(reply: Reply | undefined): string | undefined {
  if (reply === null || reply === undefined) return undefined;
  return reply instanceof Buffer ? reply.toString('utf8') : unexpected(reply);
}

export function numberOf(reply: Reply | undefined): number {
  return typeof reply === 'number' ? reply : unexpected(reply);
}

/** Every text of an answer that is a list of nothing but texts. */
export function textsOf(reply: Reply): readonly string[] {
  return listOf(reply).map((item) => textOf(item) ?? unexpected(item));
}

function unexpected(reply: Reply | undefined): never {
  throw new PersistenceError('UNEXPECTED', `Redis gave an answer of another kind than expected: ${typeof reply}`);
}
