import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Connections } from './connections.ts';

/** A service that listens. It does not own the service. */
export interface HttpServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** The same as a URL, without a slash at its end. */
  readonly url: string;
  /** Where programs on this machine reach it. */
  readonly localUrl: string;
  /**
   * Takes no more connections and requests, finishes those under way, ends followed logs, and resolves once no
   * connection is left. What is under way when `deadline` is aborted is cut off. Idempotent.
   */
  drain(deadline: AbortSignal): Promise<void>;
  /** Cuts off what is under way. Idempotent. */
  close(): Promise<void>;
}

/** Addresses that stand for all of a machine, with one at which it reaches itself. */
const everyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** A Fastify instance that listens at one address. */
export class ListeningServer implements HttpServer {
  readonly address: HttpServer['address'];
  readonly #app: FastifyInstance;
  readonly #connections: Connections;
  readonly #ending: AbortController;
  #closed: Promise<void> | undefined;

  /** `ending` is aborted once no new requests are taken. */
  constructor(app: FastifyInstance, connections: Connections, ending: AbortController) {
    // A server that listens at a port has an address of this form.
    const { address, port } = app.server.address() as AddressInfo;
    this.address = { host: address, port };
    this.#app = app;
    this.#connections = connections;
    this.#ending = ending;
  }

  get url(): string {
    return urlOf(this.address.host, this.address.port);
  }

  get localUrl(): string {
    const { host, port } = this.address;
    return urlOf(everyAddress[host] ?? host, port);
  }

  async drain(deadline: AbortSignal): Promise<void> {
    const endAll = (): void => this.#connections.endAll();
    if (deadline.aborted) endAll();
    else deadline.addEventListener('abort', endAll, { once: true });
    try {
      this.#closed ??= this.#end();
      await this.#closed;
    } finally {
      deadline.removeEventListener('abort', endAll);
    }
  }

  async close(): Promise<void> {
    this.#closed ??= this.#end();
    this.#connections.endAll();
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    this.#ending.abort();
    const closed = this.#app.close();
    this.#connections.endIdle();
    await closed;
  }
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
