import { type ErrorCode, isPersistenceError, PersistenceError } from '../domain/errors.ts';

/** What Redis is used for: what its failures are called then. */
export interface RedisUse {
  readonly name: 'store' | 'queue';
  readonly unavailable: ErrorCode;
  readonly full: ErrorCode;
  readonly corrupt: ErrorCode;
}

export const storeUse: RedisUse = {
  name: 'store',
  unavailable: 'STORE_UNAVAILABLE',
  full: 'DISK_FULL',
  corrupt: 'STORE_CORRUPT',
};

export const queueUse: RedisUse = {
  name: 'queue',
  unavailable: 'QUEUE_UNAVAILABLE',
  full: 'QUEUE_FULL',
  corrupt: 'QUEUE_CORRUPT',
};

/** Which of the codes of a use, or a code that is the same for all. */
type Kind = Exclude<keyof RedisUse, 'name'> | 'INVALID_CONFIGURATION';

/** What a failure means: the first pattern that the text matches decides. */
const meanings: readonly (readonly [pattern: RegExp, kind: Kind, meaning: string])[] = [
  [/^(NOAUTH|WRONGPASS|ERR invalid password|ERR AUTH)/, 'INVALID_CONFIGURATION', 'refuses the user or the password'],
  [
    /^NOPERM|no permissions to|user executing the script can't/,
    'INVALID_CONFIGURATION',
    'does not allow the user what is needed',
  ],
  [/^ERR DB index is out of range/, 'INVALID_CONFIGURATION', 'has no such database'],
  [/^(MOVED|ASK|CROSSSLOT) /, 'INVALID_CONFIGURATION', 'is part of a cluster: configure it as one'],
  [/cluster support disabled/, 'INVALID_CONFIGURATION', 'is no cluster: configure it as a single server'],
  [
    /certificate|CERT_|ERR_TLS|ERR_SSL|EPROTO|SELF_SIGNED|UNABLE_TO_/i,
    'INVALID_CONFIGURATION',
    'and this process do not agree on TLS',
  ],
  [/WRONGTYPE/, 'corrupt', 'holds something else than belongs under a key of ours'],
  [/OOM command not allowed/, 'full', 'has reached its maxmemory: it takes nothing more until there is room'],
  [/^MISCONF.*No space left/s, 'full', 'has no room left on its disk'],
  [/^MISCONF/, 'unavailable', 'takes no writes because it cannot write to its disk'],
  [/READONLY/, 'unavailable', 'is a replica at present'],
  [/^LOADING/, 'unavailable', 'is still loading its data'],
  [/^BUSY|^UNKILLABLE|Script killed/, 'unavailable', "is held up by somebody's script"],
  [
    /^(MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED|NOGOODSLAVE|ERR max number of clients)/,
    'unavailable',
    'cannot answer at present',
  ],
];

/** Failures of the client itself: no connection, or no answer in time. */
const unanswered =
  /Connection is closed|max retries per request|timed out|timeout|isn't writeable|Cluster is ended|aborted due to connection|Failed to refresh slots|startup nodes|isn't ready|redirections|sentinels are unreachable|^connect |^read |^write |ECONN|EPIPE|EHOST|ENET|ENOTFOUND|EAI_AGAIN|socket/i;

/**
 * What a failure of the client means, as one of this project's errors. `cause` keeps the text only: what the library
 * threw holds the whole command, and so data or passwords. `reason` is what the connection last failed of.
 */
export function classify(thrown: unknown, where: string, use: RedisUse, reason?: string): PersistenceError {
  if (isPersistenceError(thrown)) return thrown;
  const text = failureText(thrown);
  const cause = new Error(text);
  for (const [pattern, kind, meaning] of meanings) {
    if (!pattern.test(text)) continue;
    const code = kind === 'INVALID_CONFIGURATION' ? kind : use[kind];
    return new PersistenceError(code, `${where} ${meaning}: ${text}`, { cause });
  }
  if (unanswered.test(text)) {
    if (reason !== undefined && reason !== text) return classify(new Error(reason), where, use);
    return new PersistenceError(use.unavailable, `${where} does not answer: ${text}`, { cause });
  }
  return new PersistenceError('UNEXPECTED', `${where} failed: ${text}`, { cause });
}

/** True when a script has to be sent whole. */
export function isUnknownScript(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('NOSCRIPT');
}

/** What `thrown` says. Of a whole cluster ioredis tells only in a member what was wrong with its last node. */
export function failureText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code, lastNodeError } = thrown as NodeJS.ErrnoException & { readonly lastNodeError?: unknown };
  if (lastNodeError instanceof Error) return failureText(lastNodeError);
  return code === undefined || thrown.message.includes(code) ? thrown.message : `${code} ${thrown.message}`;
}
