/** One request of a client, as it came: arguments are bytes, and never text until somebody knows they are. */
export interface RedisRequest {
  /** One of {@link RedisPeer.commands}. */
  readonly command: string;
  /** What follows the command's name. */
  readonly arguments: readonly Uint8Array[];
  /**
   * When it arrived, in the milliseconds of `Clock.elapsed`, which go on while the process is stopped; never later than
   * its first byte truly did: what lay unread while the event loop was held up counts from before that.
   */
  readonly arrived: number;
}

/** What a client is answered. Written in the protocol version that it asked for. */
export type RedisReply =
  | { readonly kind: 'simple'; readonly text: string }
  /** One line that begins with its code in capitals: `ERR …`. */
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'bulk'; readonly bytes: Uint8Array }
  | { readonly kind: 'null' }
  | { readonly kind: 'array'; readonly items: readonly RedisReply[] }
  /** `count` values, read while they are sent: nothing holds their bytes whole. A failure cuts the connection. */
  | {
      readonly kind: 'stream';
      readonly of: 'array' | 'set';
      readonly count: number;
      readonly chunks: AsyncIterable<readonly Uint8Array[]>;
    };

/**
 * A reply that a client may get no later than `until`, a time of `Clock.elapsed`: it has given up waiting by then. What
 * its socket was not handed by then it never gets: the connection is cut instead.
 */
export type RedisAnswer = RedisReply & { readonly until?: number };

/** What one client's requests are given to, after it has shown its password. */
export interface RedisConversation {
  /**
   * Begins the request at once, in the order of the calls, without waiting for those before: replies are sent in
   * that order. Resolves with `undefined` when no answer may be given: the connection is cut then, and nothing behind is
   * answered. Never rejects.
   */
  request(request: RedisRequest): Promise<RedisAnswer | undefined>;
  /** What stood between MULTI and EXEC, whole: at least one. One reply for each, in an array, or one error for all. */
  transaction(requests: readonly RedisRequest[]): Promise<RedisAnswer | undefined>;
  /** The connection is gone; what was begun goes on. */
  closed(): void;
}

/** How many arguments a command takes after its name. */
export interface RedisArity {
  readonly least: number;
  readonly most: number;
}

/** One client's connection, as its peer sees it. */
export interface RedisClient {
  /** Where it comes from, for the log. */
  readonly address: string;
  /** Ends the connection at once, with no answer to anything that has none yet. `reason` is for the log. */
  cut(reason: string): void;
}

/** Whom the server speaks for. */
export interface RedisPeer {
  /** What it can be asked, by names in capitals. Whatever else is sent, or with other arguments, it never sees. */
  readonly commands: ReadonlyMap<string, RedisArity>;
  /** Called with the first request of a client that is for the peer. */
  converse(client: RedisClient): RedisConversation;
}
