import type { RedisAnswer, RedisClient, RedisConversation, RedisPeer, RedisRequest } from '../ports/redis-peer.ts';
import { ClientState } from './client-state.ts';
import type { RedisServerLimits, RequestLimits } from './limits.ts';
import type { Password } from './password.ts';
import { failure, queued, quoted, type ServerReply } from './replies.ts';
import type { ParsedRequest } from './request-parser.ts';
import { type Answer, type CommandContext, type ServerCommand, serverCommands } from './server-commands.ts';
import type { Transaction } from './transaction.ts';

/** What all sessions of a server share. */
export interface SessionContext {
  readonly peer: RedisPeer;
  /** Undefined: everybody is let in. */
  readonly password: Password | undefined;
  readonly limits: RedisServerLimits;
  /** The answer to INFO. */
  information(): string;
}

/**
 * Takes the requests of one connection in the order in which they came: answers itself what is about the connection,
 * and hands its peer what is for the peer.
 */
export class ClientSession implements CommandContext {
  readonly state: ClientState;
  readonly #context: SessionContext;
  readonly #client: RedisClient;
  #conversation: RedisConversation | undefined;

  constructor(context: SessionContext, client: RedisClient, id: number) {
    this.#context = context;
    this.#client = client;
    this.state = new ClientState(id, context.password, context.limits.passwordTries);
  }

  /** What the next request may measure. */
  get limits(): RequestLimits {
    const { request, unauthenticated } = this.#context.limits;
    return this.state.isAuthenticated ? request : unauthenticated;
  }

  /** About the bytes that it holds. */
  get held(): number {
    return this.state.transaction?.size ?? 0;
  }

  get peerCommands(): RedisPeer['commands'] {
    return this.#context.peer.commands;
  }

  information(): string {
    return this.#context.information();
  }

  handle({ parts: [sentName, ...args], arrived, size }: ParsedRequest): Answer {
    const name = sentName.toString('latin1').toUpperCase();
    const own = serverCommands.get(name);
    if (!this.state.isAuthenticated && own?.beforePassword !== true) {
      return failure('NOAUTH Authentication required.');
    }
    const arity = own ?? this.peerCommands.get(name);
    if (arity === undefined) return this.#refuse(`ERR unknown command ${quoted(sentName)}`);
    if (args.length < arity.least || args.length > arity.most) {
      return this.#refuse(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
    }
    if (own !== undefined) return this.#answer(own, name, args);
    const request: RedisRequest = { command: name, arguments: args, arrived };
    const { transaction } = this.state;
    return transaction === undefined ? this.#talk().request(request) : this.#queue(transaction, request, size);
  }

  /** Gives the peer a whole transaction. */
  execute(requests: readonly RedisRequest[]): Promise<RedisAnswer | undefined> {
    return this.#talk().transaction(requests);
  }

  /** The connection is gone. */
  closed(): void {
    this.#conversation?.closed();
  }

  #answer(command: ServerCommand, name: string, args: readonly Uint8Array[]): Answer {
    if (this.state.transaction !== undefined && command.inTransaction !== true) {
      return this.#refuse(`ERR Command '${name.toLowerCase()}' not allowed inside a transaction`);
    }
    return command.answer(this, args);
  }

  #queue(transaction: Transaction, request: RedisRequest, size: number): ServerReply {
    if (transaction.isBroken) return queued;
    if (transaction.size + size > this.#context.limits.underWayBytes) {
      return this.#refuse('ERR the transaction holds more than a transaction may');
    }
    transaction.add(request, size);
    return queued;
  }

  /** An error. A transaction in which it comes will not be executed. */
  #refuse(text: string): ServerReply {
    this.state.transaction?.break();
    return failure(text);
  }

  #talk(): RedisConversation {
    this.#conversation ??= this.#context.peer.converse(this.#client);
    return this.#conversation;
  }
}
