import type { Server, Socket } from 'node:net';
import { Arrivals } from './arrivals.ts';
import { ClientConnection, type ConnectionContext } from './client-connection.ts';
import { Polling } from './polling.ts';
import { Unread } from './unread.ts';

export interface ConnectionsOptions {
  readonly context: ConnectionContext;
  /** Puts a layer over each connection; undefined: none. */
  readonly secure: ((accepted: Socket) => Socket) | undefined;
}

/** Milliseconds between two looks for answers that could not be given in time. */
const answersInterval = 10;

/** The clients of a server that listens. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #polling: Polling;
  /** Connections that nobody has accepted yet: what they bring may have come while they waited for that. */
  readonly #waiting: Unread;
  readonly #clients = new Set<ClientConnection>();
  readonly #ended = new AbortController();
  #lastId = 0;
  #isEnding = false;

  constructor(server: Server, options: ConnectionsOptions) {
    this.#options = options;
    const { clock } = options.context;
    this.#polling = new Polling(clock);
    this.#waiting = new Unread(this.#polling, clock, this.#polling.since);
    server.on('connection', (socket) => this.#accept(socket));
    server.once('close', () => {
      this.#polling.stop();
      this.#ended.abort();
    });
    this.#goRound().catch(() => undefined);
    this.#watchAnswers().catch(() => undefined);
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Has every client end once what it sent is answered, and takes no more. */
  finish(): void {
    this.#isEnding = true;
    for (const client of this.#clients) client.finish();
  }

  cut(reason: string): void {
    this.#isEnding = true;
    for (const client of this.#clients) client.cut(reason);
  }

  /** Resolves once those that are there now have gone. */
  async whenGone(): Promise<void> {
    await Promise.all([...this.#clients].map(({ gone }) => gone));
  }

  #accept(accepted: Socket): void {
    const { context, secure } = this.#options;
    const arrivals = new Arrivals(this.#polling, context.clock, this.#waiting.date());
    // Of those that wait, Node takes one a turn.
    this.#waiting.left();
    if (this.#isEnding || !this.#makeRoom()) {
      accepted.destroy();
      return;
    }
    this.#lastId += 1;
    const socket = secure?.(accepted) ?? accepted;
    const client = new ClientConnection(context, { socket, accepted, arrivals }, this.#lastId);
    this.#clients.add(client);
    client.gone.then(() => this.#clients.delete(client));
  }

  /**
   * False when no more may be open. Strangers who say nothing could take every place for as long as they are borne
   * with: the one that has waited longest goes. Nobody is told, since whoever comes often enough would fill the log.
   */
  #makeRoom(): boolean {
    if (this.#clients.size < this.#options.context.limits.connections) return true;
    for (const client of this.#clients) {
      if (!client.isStranger) continue;
      this.#clients.delete(client);
      client.drop();
      return true;
    }
    return false;
  }

  async #watchAnswers(): Promise<void> {
    const { clock } = this.#options.context;
    while (!this.#ended.signal.aborted) {
      await clock.sleep(answersInterval, this.#ended.signal);
      const now = clock.elapsed();
      for (const client of this.#clients) client.checkAnswers(now);
    }
  }

  async #goRound(): Promise<void> {
    const { clock, limits } = this.#options.context;
    while (!this.#ended.signal.aborted) {
      await clock.sleep(limits.patience.roundMs, this.#ended.signal);
      for (const client of this.#clients) client.round();
    }
  }
}
