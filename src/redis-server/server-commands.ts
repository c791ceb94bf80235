import type { RedisAnswer, RedisArity, RedisPeer, RedisRequest } from '../ports/redis-peer.ts';
import { authenticate } from './authenticate.ts';
import { clientCommand } from './client-command.ts';
import type { ClientState } from './client-state.ts';
import { commandCommand } from './command-command.ts';
import { hello } from './hello.ts';
import { bulk, failure, ok, type ServerReply, simple } from './replies.ts';

/** What becomes of a request: an answer now or later; `undefined`, in its own time, cuts the connection. */
export type Answer = ServerReply | Promise<RedisAnswer | undefined>;

/** What the server's own commands work on. */
export interface CommandContext {
  readonly state: ClientState;
  readonly peerCommands: RedisPeer['commands'];
  information(): string;
  execute(requests: readonly RedisRequest[]): Promise<RedisAnswer | undefined>;
}

/** A command about the connection, which no peer sees. */
export interface ServerCommand extends RedisArity {
  /** Answered also to whoever has not shown the password. */
  readonly beforePassword?: boolean;
  /** Done at once also between MULTI and EXEC; every other breaks the transaction. */
  readonly inTransaction?: boolean;
  answer(context: CommandContext, args: readonly Uint8Array[]): Answer;
}

const many = Number.POSITIVE_INFINITY;

/** By names in capitals. */
export const serverCommands: ReadonlyMap<string, ServerCommand> = new Map<string, ServerCommand>([
  ['AUTH', { least: 1, most: 2, beforePassword: true, answer: ({ state }, args) => authenticate(state, args) }],
  ['HELLO', { least: 0, most: many, beforePassword: true, answer: ({ state }, args) => hello(state, args) }],
  ['QUIT', { least: 0, most: 0, beforePassword: true, inTransaction: true, answer: quit }],
  ['RESET', { least: 0, most: 0, beforePassword: true, inTransaction: true, answer: reset }],
  ['CLIENT', { least: 1, most: many, answer: ({ state }, args) => clientCommand(state, args) }],
  ['SELECT', { least: 1, most: 1, answer: (_, args) => select(args) }],
  ['PING', { least: 0, most: 1, answer: (_, args) => ping(args) }],
  ['ECHO', { least: 1, most: 1, answer: (_, args) => ping(args) }],
  ['COMMAND', { least: 0, most: many, answer: commandCommand }],
  ['INFO', { least: 0, most: many, answer: (context) => bulk(context.information()) }],
  ['MULTI', { least: 0, most: 0, answer: multi }],
  ['EXEC', { least: 0, most: 0, inTransaction: true, answer: exec }],
  ['DISCARD', { least: 0, most: 0, inTransaction: true, answer: discard }],
]);

function quit({ state }: CommandContext): ServerReply {
  state.end();
  return ok;
}

function reset({ state }: CommandContext): ServerReply {
  state.reset();
  return simple('RESET');
}

function select([index]: readonly Uint8Array[]): ServerReply {
  const text = Buffer.from(index ?? []).toString('latin1');
  if (text === '0') return ok;
  return failure(/^\d+$/.test(text) ? 'ERR DB index is out of range' : 'ERR invalid DB index');
}

function ping([message]: readonly Uint8Array[]): ServerReply {
  return message === undefined ? simple('PONG') : { kind: 'bulk', bytes: message };
}

function multi({ state }: CommandContext): ServerReply {
  state.beginTransaction();
  return ok;
}

function exec(context: CommandContext): Answer {
  const { transaction } = context.state;
  if (transaction === undefined) return failure('ERR EXEC without MULTI');
  context.state.transaction = undefined;
  if (transaction.isBroken) return failure('EXECABORT Transaction discarded because of previous errors.');
  return transaction.requests.length === 0 ? { kind: 'array', items: [] } : context.execute(transaction.requests);
}

function discard({ state }: CommandContext): ServerReply {
  if (state.transaction === undefined) return failure('ERR DISCARD without MULTI');
  state.transaction = undefined;
  return ok;
}
