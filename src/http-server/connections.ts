import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of a server, so that it can end without cutting off a request that is under way. */
export class Connections {
  readonly #server: Server;
  /** Those on which no request has come yet. */
  readonly #fresh = new Set<Socket>();
  #isEnding = false;

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#fresh.add(socket);
      socket.once('close', () => this.#fresh.delete(socket));
      if (this.#isEnding) socket.destroy();
    });
    server.on('request', ({ socket }: { readonly socket: Socket }, response: ServerResponse) => {
      this.#fresh.delete(socket);
      response.once('close', () => {
        if (this.#isEnding) setImmediate(() => this.#server.closeIdleConnections());
      });
    });
  }

  /** Closes every connection on which nothing is under way, now and whenever one has been answered. */
  endIdle(): void {
    this.#isEnding = true;
    for (const socket of this.#fresh) socket.destroy();
    this.#server.closeIdleConnections();
  }

  /** Closes every connection. */
  endAll(): void {
    this.endIdle();
    this.#server.closeAllConnections();
  }
}
