import { PersistenceError } from '../domain/errors.ts';
import { failureOf, problemOf } from './failures.ts';
import { patientFetch } from './patient-fetch.ts';
import { SignalFollowers } from './signal-followers.ts';

/** What is needed of `fetch`. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** Where a service is, and how it is spoken to. */
export interface ConnectionOptions {
  /** The address that the service tells at its start, such as `http://127.0.0.1:8080`; with a path behind a proxy. */
  readonly url: string;
  /** The bearer token; undefined where the service wants none. */
  readonly token?: string | undefined;
  /** Once aborted, everything under way and everything asked for later rejects with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Sends the requests: the global `fetch` where this is undefined, which keeps connections alive between requests. */
  readonly fetch?: Fetch | undefined;
}

/** One request. `path` follows the service's address, its segments escaped; absent query values are left out. */
export interface Request {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  readonly headers?: Readonly<Record<string, string>>;
  /** True for what may take longer than `fetch` waits. */
  readonly isLong?: true;
}

// RFC 6750, 2.1. Anything else must not get as far as fetch, whose complaint would show it.
const tokenCharacters = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Sends requests to one service, as many side by side as are asked for, and tells what it answers or how it failed. */
export class Connection {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: Fetch;
  readonly #signal: AbortSignal | undefined;
  readonly #closing = new AbortController();
  readonly #followers = new SignalFollowers();

  /** Throws `INVALID_CONFIGURATION` for what is no address of a service or no token; nothing is sent yet. */
  constructor(options: ConnectionOptions) {
    this.#base = baseOf(options.url);
    if (options.token !== undefined && !tokenCharacters.test(options.token)) {
      const allowed = 'a token holds letters, digits and - . _ ~ + / only, with = at its end';
      throw new PersistenceError(
        'INVALID_CONFIGURATION',
        `the token for ${this.#base.href} cannot be sent: ${allowed}`,
      );
    }
    this.#headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
    this.#fetch = options.fetch ?? fetch;
    this.#signal = options.signal;
  }

  /** The answer as it was parsed. `UNEXPECTED` when it is not JSON. */
  async json(request: Request, signal?: AbortSignal): Promise<unknown> {
    const bytes = await this.bytes(request, signal);
    const text = bytes.toString('utf8');
    try {
      return JSON.parse(text);
    } catch (cause) {
      const shown = JSON.stringify(text.slice(0, 200));
      throw new PersistenceError('UNEXPECTED', `${this.#base.href} answered what is not JSON: ${shown}`, { cause });
    }
  }

  /** The whole answer. */
  async bytes(request: Request, signal?: AbortSignal): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.chunks(request, signal)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /**
   * The answer as it comes; nothing is sent before the first chunk is asked for, and who stops asking ends the
   * connection. Throws what {@link problemOf} and {@link failureOf} say: also when the answer breaks off.
   */
  async *chunks(request: Request, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const exchange = new AbortController();
    const signals = [this.#closing.signal, this.#signal, signal].filter((given) => given !== undefined);
    this.#followers.add(exchange, signals);
    try {
      yield* this.#exchange(request, exchange.signal);
    } catch (thrown) {
      throw failureOf(thrown, this.#base, exchange.signal.aborted);
    } finally {
      this.#followers.remove(exchange, signals);
    }
  }

  /** Ends everything under way. Idempotent. */
  close(): void {
    this.#closing.abort();
  }

  async *#exchange(request: Request, signal: AbortSignal) {
    const { path, query = {} } = request;
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, `${value}`);
    }
    const response = await this.#send(url, request, signal);
    if (!response.ok) throw await problemOf(response, url);
    if (response.body !== null) yield* response.body;
  }

  #send(url: URL, { method = 'GET', body, headers, isLong }: Request, signal: AbortSignal): Promise<Response> {
    const sent = {
      method,
      signal,
      headers: { ...this.#headers, ...headers, ...(body === undefined ? {} : { 'content-type': body.type }) },
    };
    if (isLong === true && this.#fetch === fetch) return patientFetch(url, { ...sent, body: body?.bytes });
    return this.#fetch(url, {
      ...sent,
      // A followed redirection would turn a POST into a GET, and could carry the token elsewhere.
      redirect: 'manual',
      ...(body === undefined ? {} : { body: body.bytes }),
    });
  }
}

function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What stands in the text is not shown: it may hold a password.
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.href !== url.origin + url.pathname) {
    const message = 'the address of a service is http://HOST:PORT or https://…, without credentials, query or fragment';
    throw new PersistenceError('INVALID_CONFIGURATION', message);
  }
  return url.pathname.endsWith('/') ? url : new URL(`${url.href}/`);
}
