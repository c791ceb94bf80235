const kibibyte = 2 ** 10;
const mebibyte = 2 ** 20;

/** What one request may measure. */
export interface RequestLimits {
  /** Bytes of one argument. */
  readonly argumentBytes: number;
  /** Bytes of all arguments. */
  readonly requestBytes: number;
  /** The command's name included. */
  readonly arguments: number;
}

/** What clients may cost a server. Whoever goes beyond is made to wait where that helps, and cut off elsewhere. */
export interface RedisServerLimits {
  /** Connections open at a time. One that has not shown the password gives way to whoever comes next. */
  readonly connections: number;
  readonly request: RequestLimits;
  /** Of a client that has not shown its password yet. */
  readonly unauthenticated: RequestLimits;
  /** Requests of one client that are not answered yet: then no more of it is read. */
  readonly underWay: number;
  /** Bytes of such requests: likewise. What stands between MULTI and EXEC takes no more either. */
  readonly underWayBytes: number;
  /** Bytes of replies that wait for one client to read them. */
  readonly unreadBytes: number;
  /** Bytes of all requests and replies in memory, whichever client they belong to. */
  readonly heldBytes: number;
  /** Wrong passwords on one connection. */
  readonly passwordTries: number;
  /** How long clients are borne with, in rounds; a loop that was held up makes no rounds, and blames nobody. */
  readonly patience: Patience;
}

export interface Patience {
  /** Milliseconds from one round to the next. */
  readonly roundMs: number;
  /** Rounds until it has asked for something, its password shown where there is one. */
  readonly introduction: number;
  /** Rounds from the first byte of a request to its last. */
  readonly request: number;
  /** Rounds in which a client takes nothing of its replies. */
  readonly unread: number;
}

/** The largest command has 16 MiB; white space, which is not counted, may come on top. */
export const redisServerLimits: RedisServerLimits = Object.freeze({
  connections: 200,
  request: { argumentBytes: 24 * mebibyte, requestBytes: 32 * mebibyte, arguments: 10_000 },
  unauthenticated: { argumentBytes: 4 * kibibyte, requestBytes: 16 * kibibyte, arguments: 10 },
  underWay: 1_000,
  underWayBytes: 32 * mebibyte,
  unreadBytes: 64 * mebibyte,
  heldBytes: 256 * mebibyte,
  passwordTries: 3,
  patience: { roundMs: 1_000, introduction: 10, request: 30, unread: 30 },
});
