import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Connections } from './connections.ts';

/** A server that listens. It does not own its peer. */
export interface RedisServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Takes no more connections and requests, answers those under way, and resolves once no connection is left. What is
   * under way when `deadline` is aborted is cut off. Idempotent.
   */
  drain(deadline: AbortSignal): Promise<void>;
  /** Cuts off what is under way. Idempotent. */
  close(): Promise<void>;
}

export class RunningServer implements RedisServer {
  readonly address: RedisServer['address'];
  readonly #server: Server;
  readonly #connections: Connections;
  #closed: Promise<unknown> | undefined;

  constructor(server: Server, connections: Connections) {
    // A server that listens at a port has an address of this form.
    const { address, port } = server.address() as AddressInfo;
    this.address = { host: address, port };
    this.#server = server;
    this.#connections = connections;
  }

  async drain(deadline: AbortSignal): Promise<void> {
    const cut = (): void => this.#connections.cut('the server is closing');
    const closed = this.#end();
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    try {
      await closed;
    } finally {
      deadline.removeEventListener('abort', cut);
    }
  }

  async close(): Promise<void> {
    const closed = this.#end();
    this.#connections.cut('the server is closing');
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(): Promise<unknown> {
    if (this.#closed === undefined) {
      this.#closed = Promise.all([once(this.#server, 'close'), this.#connections.whenGone()]);
      this.#server.close();
      this.#connections.finish();
    }
    return this.#closed;
  }
}
