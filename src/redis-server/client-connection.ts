import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { RedisClient } from '../ports/redis-peer.ts';
import type { Arrivals } from './arrivals.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { RedisServerLimits } from './limits.ts';
import { Outgoing } from './outgoing.ts';
import { ProtocolError } from './protocol-error.ts';
import { failure } from './replies.ts';
import { ReplyQueue } from './reply-queue.ts';
import { type ParsedRequest, RequestParser } from './request-parser.ts';
import { ClientSession, type SessionContext } from './session.ts';

/** What all connections of a server share. */
export interface ConnectionContext extends SessionContext {
  readonly limits: RedisServerLimits;
  readonly budget: ByteBudget;
  readonly clock: Clock;
  /** Told why a connection was cut off. */
  tellCut(address: string, reason: string): void;
}

/** How a client is reached. */
export interface Link {
  /** What is read and written. */
  readonly socket: Socket;
  /** What it came in by: the same, or what lies below TLS. */
  readonly accepted: Socket;
  readonly arrivals: Arrivals;
}

const tooLate = 'an answer came too late to be given';
/** Rounds for which a client whose last answer was sent may go on sending. */
const roundsAfterEnd = 2;

/** One client: its requests are read as fast as they are worked on, and its answers written as fast as it takes them. */
export class ClientConnection implements RedisClient {
  readonly address: string;
  /** Resolves once nothing is left of it. */
  readonly gone: Promise<void>;
  readonly #context: ConnectionContext;
  readonly #link: Link;
  readonly #parser = new RequestParser();
  readonly #session: ClientSession;
  readonly #outgoing: Outgoing;
  readonly #replies: ReplyQueue;
  #bytesRead = 0;
  #held = 0;
  #isPaused = false;
  #isGone = false;
  /** Rounds since it was accepted; undefined once it has asked for something that it is allowed. */
  #strangerRounds: number | undefined = 0;
  /** Rounds since the request that is being read began. */
  #requestRounds = 0;
  #endedRounds = 0;

  constructor(context: ConnectionContext, link: Link, id: number) {
    const { remoteAddress = 'unknown', remotePort = 0 } = link.accepted;
    this.address = `${remoteAddress}:${remotePort}`;
    this.#context = context;
    this.#link = link;
    this.#session = new ClientSession(context, this, id);
    this.#outgoing = new Outgoing(link.socket, context.clock, {
      drained: () => this.#advance(),
      late: () => this.cut(tooLate),
    });
    this.#replies = new ReplyQueue(this.#outgoing, {
      moved: () => this.#work(),
      cut: (reason) => this.cut(reason),
    });
    const { socket } = link;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.finish());
    this.gone = new Promise((resolve) => {
      socket.on('close', () => {
        this.#closed();
        resolve();
      });
    });
    // What it fails of does not matter: it closes then.
    socket.on('error', () => undefined);
  }

  /** True as long as the password has to be shown and was not: also before anything was sent. */
  get isStranger(): boolean {
    return !this.#session.state.isAuthenticated;
  }

  cut(reason: string): void {
    if (this.#isGone) return;
    this.#context.tellCut(this.address, reason);
    this.drop();
  }

  /** Ends it at once, without a word in the log. Idempotent. */
  drop(): void {
    this.#isGone = true;
    this.#outgoing.drop();
    this.#link.socket.destroy();
  }

  /** Takes no more requests, and ends the connection once those that were taken are answered. Idempotent. */
  finish(): void {
    this.#session.state.end();
    this.#replies.end();
    this.#resume();
  }

  /** Cuts it off if an answer could not be given in time: its client must not go on as if it had failed. */
  checkAnswers(now: number): void {
    if (this.#replies.isLate(now) || this.#outgoing.isLate(now)) this.cut(tooLate);
  }

  /** One more round has passed: see `Patience`. */
  round(): void {
    const { patience } = this.#context.limits;
    if (this.#strangerRounds !== undefined) this.#strangerRounds += 1;
    if ((this.#strangerRounds ?? 0) > patience.introduction) this.cut('it did not make itself known in time');
    this.#requestRounds = this.#parser.isHalfway && !this.#isPaused ? this.#requestRounds + 1 : 0;
    if (this.#requestRounds > patience.request) this.cut('it did not send the rest of a request in time');
    if (this.#outgoing.round() > patience.unread) this.cut('it did not read its answers in time');
    if (this.#link.socket.writableFinished) this.#endedRounds += 1;
    if (this.#endedRounds > roundsAfterEnd) this.#link.socket.destroy();
  }

  #read(chunk: Buffer): void {
    const { accepted, arrivals } = this.#link;
    const arrived = arrivals.date(accepted.bytesRead - this.#bytesRead);
    this.#bytesRead = accepted.bytesRead;
    if (this.#session.state.isEnding) return;
    this.#parser.push(chunk, arrived);
    this.#work();
  }

  #advance(): void {
    this.#replies.advance();
    this.#work();
  }

  /** Begins what was read, as far as there is room for more. */
  #work(): void {
    const { state } = this.#session;
    while (!this.#isGone && !state.isEnding && !this.#isFull) {
      const request = this.#next();
      if (request === undefined) break;
      const answer = this.#session.handle(request);
      this.#replies.add(answer, state.protocol, request.size);
      this.#requestRounds = 0;
      if (state.isAuthenticated) this.#strangerRounds = undefined;
    }
    if (this.#isGone) return;
    if (state.isEnding) this.finish();
    else if (this.#isFull) this.#pause();
    else this.#resume();
    this.#account();
  }

  /** The next request, if it is whole. What is none is answered, and nothing after it is read. */
  #next(): ParsedRequest | undefined {
    try {
      return this.#parser.next(this.#session.limits);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#replies.add(failure(`ERR ${error.message}`), this.#session.state.protocol, 0);
      this.#session.state.end();
      return undefined;
    }
  }

  get #isFull(): boolean {
    const { underWay, underWayBytes } = this.#context.limits;
    return this.#replies.length >= underWay || this.#replies.requestBytes >= underWayBytes;
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#link.arrivals.paused();
    this.#link.socket.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#link.arrivals.resumed();
    this.#link.socket.resume();
  }

  /** Counts what is held, and cuts off who holds too much. */
  #account(): void {
    const unread = this.#replies.replyBytes + this.#outgoing.held;
    const held = unread + this.#replies.requestBytes + this.#parser.held + this.#session.held;
    const isWithin = this.#context.budget.change(held - this.#held);
    this.#held = held;
    if (!isWithin) this.cut('all clients together hold as much as they may');
    if (unread > this.#context.limits.unreadBytes) this.cut('it reads too little of its answers');
  }

  #closed(): void {
    this.#isGone = true;
    this.#outgoing.drop();
    this.#context.budget.change(-this.#held);
    this.#held = 0;
    this.#session.closed();
  }
}
