import { type ErrorCode, isPersistenceError } from '../domain/errors.ts';

/** What an exit code means. `docs/exit-codes.md` holds the same table. */
export interface ExitMeaning {
  readonly code: number;
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Every exit code of `macp-persist`. */
export const exitCodes = {
  done: { code: 0, meaning: 'everything that was asked for was done', remedy: 'nothing' },
  fault: {
    code: 1,
    meaning: 'the program itself failed in a way that it does not know',
    remedy: 'report it, with what standard error says',
  },
  usage: {
    code: 2,
    meaning: 'the command line or the settings are wrong',
    remedy: 'correct what standard error names',
  },
  input: {
    code: 3,
    meaning: 'the input was refused; nothing of it was sent',
    remedy: 'correct the lines that standard error names',
  },
  absent: { code: 4, meaning: 'what was asked for does not exist in the store', remedy: 'ask for something else' },
  locked: {
    code: 5,
    meaning: 'another process owns the store or the queue',
    remedy: 'stop that process, or wait until it ends',
  },
  unavailable: {
    code: 6,
    meaning: 'the store or the queue cannot work at present: it is down, full, or being changed',
    remedy: 'try again later; make room on the disk',
  },
  failed: {
    code: 7,
    meaning: 'writing or syncing failed',
    remedy: 'look at the disk, then start again: the start recovers from what is on it',
  },
  damaged: {
    code: 8,
    meaning: 'the store or the queue is damaged or was written by a newer version',
    remedy: 'use the newer version, or restore or rebuild it',
  },
  fenced: {
    code: 9,
    meaning: 'another writer or worker has taken over',
    remedy: 'let the other one work, or start again under a new writer name',
  },
  history: {
    code: 10,
    meaning: 'the queue no longer holds what the store needs next',
    remedy: 'restore the queue, or a store that it still covers',
  },
  stalled: {
    code: 11,
    meaning: 'commands were waiting and none was persisted for the time that `service.stalledAfter` sets',
    remedy: 'start again; when it comes back, look at the store and its disk',
  },
  denied: {
    code: 12,
    meaning: 'the service did not accept the token',
    remedy: 'use a token that it knows, with the scope that the command needs',
  },
  deadLettered: {
    code: 13,
    meaning: 'what was sent became a dead letter',
    remedy: 'see why with `dead-letters show`',
  },
  unfit: {
    code: 14,
    meaning: 'the queue or the store is set up so that it would lose something, or `doctor` has found a problem',
    remedy: 'change what it says',
  },
  different: {
    code: 15,
    meaning: 'what was compared is not the same',
    remedy: 'look at the differences that standard output names',
  },
  interrupted: { code: 130, meaning: 'ended by SIGINT or SIGTERM before the work was done', remedy: 'run it again' },
} as const satisfies Record<string, ExitMeaning>;

export type ExitName = keyof typeof exitCodes;

const byError: Readonly<Record<ErrorCode, ExitName>> = {
  INVALID_EVENT: 'input',
  UNSUPPORTED_SPEC_VERSION: 'input',
  UNSUPPORTED_CONTENT_MODE: 'input',
  MISSING_ATTRIBUTE: 'input',
  INVALID_ATTRIBUTE: 'input',
  REPEATED_ATTRIBUTE: 'input',
  UNKNOWN_TYPE: 'input',
  INVALID_SESSION_ID: 'input',
  INVALID_SEQUENCE: 'input',
  INVALID_EPOCH: 'input',
  INVALID_WRITER: 'input',
  INVALID_DATA: 'input',
  DATA_TOO_LARGE: 'input',
  WRONG_PARTITION: 'input',
  UNREADABLE_BATCH: 'input',
  MIXED_EVENTS: 'input',
  STORE_LOCKED: 'locked',
  STORE_UNAVAILABLE: 'unavailable',
  STORE_IO_FAILED: 'failed',
  STORE_CORRUPT: 'damaged',
  STORE_CHANGED_ELSEWHERE: 'unfit',
  STORE_TOO_NEW: 'damaged',
  STORE_NOT_DURABLE: 'unfit',
  ADDON_MISSING: 'usage',
  VIEW_EXPIRED: 'unavailable',
  STORE_CLOSED: 'failed',
  DISK_FULL: 'unavailable',
  POSITION_MISMATCH: 'fenced',
  CURSOR_MISMATCH: 'fenced',
  SESSION_NOT_FOUND: 'absent',
  BELOW_COMPACTION_BASE: 'absent',
  NOT_STORED: 'absent',
  NOT_YET_APPLIED: 'unavailable',
  TARGET_NOT_EMPTY: 'usage',
  TARGET_IN_USE: 'fenced',
  STORE_PARTIAL: 'unfit',
  COPY_INCOMPLETE: 'unfit',
  COPY_DIFFERS: 'damaged',
  QUEUE_LOCKED: 'locked',
  QUEUE_FULL: 'unavailable',
  QUEUE_UNAVAILABLE: 'unavailable',
  QUEUE_IO_FAILED: 'failed',
  QUEUE_CORRUPT: 'damaged',
  QUEUE_TOO_NEW: 'damaged',
  QUEUE_UNSAFE: 'unfit',
  QUEUE_MOVED: 'unfit',
  QUEUE_CHANGING: 'unavailable',
  QUEUE_CHANGED: 'unavailable',
  GROUP_CONFLICT: 'unfit',
  QUEUE_CLOSED: 'failed',
  SOURCE_LOST_HISTORY: 'history',
  STANDING_UNKNOWN: 'usage',
  DEAD_LETTERED: 'deadLettered',
  NOT_OPEN: 'absent',
  INVALID_REQUEST: 'usage',
  UNSUPPORTED_MEDIA_TYPE: 'usage',
  REQUEST_TOO_LARGE: 'input',
  NO_SUCH_RESOURCE: 'absent',
  UNAUTHENTICATED: 'denied',
  FORBIDDEN: 'denied',
  TOO_MANY_REQUESTS: 'unavailable',
  SERVICE_UNAVAILABLE: 'unavailable',
  NOT_SUPPORTED: 'usage',
  STALLED: 'stalled',
  INVALID_CONFIGURATION: 'usage',
  INVALID_INPUT: 'input',
  WRITER_FENCED: 'fenced',
  UNEXPECTED: 'fault',
  ABORTED: 'interrupted',
};

/** How the process ends after `error`. */
export function exitNameOf(error: unknown): ExitName {
  return isPersistenceError(error) ? byError[error.code] : 'fault';
}

/** The exit codes as a Markdown table, for the documentation. */
export function exitCodeTable(): string {
  const rows = Object.entries(exitCodes).map(([name, { code, meaning, remedy }]) => {
    const codes = Object.entries(byError).flatMap(([error, exit]) => (exit === name ? [`\`${error}\``] : []));
    return `| ${code} | ${meaning} | ${remedy} | ${codes.join(', ')} |`;
  });
  return ['| code | meaning | what to do | error codes |', '|---|---|---|---|', ...rows].join('\n');
}
