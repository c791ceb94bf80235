import { ConfigurationError } from '../configuration/mistakes.ts';
import { type ErrorCode, isPersistenceError, type PersistenceError, toPersistenceError } from '../domain/errors.ts';
import { InputRefused } from '../publisher/check-input.ts';
import { exitCodes, exitNameOf } from './exit-codes.ts';

/** A failure for people: its code and message, and what to do next; its stack only where it is a fault of the program. */
export function failureText(error: unknown): string {
  if (!isPersistenceError(error)) {
    return `macp-persist failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const because = reasonOf(error);
  const next = nextSteps[error.code];
  return [
    `macp-persist: ${error.code}: ${error.message}`,
    ...(because === undefined ? [] : [`  because: ${because}`]),
    ...(next === undefined ? [] : [`  next: ${next}`]),
  ].join('\n');
}

/** A failure for programs. */
export interface FailureDocument {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly because?: string;
    readonly next?: string;
    readonly retryable: boolean;
    readonly exit_code: number;
    /** Everything that is wrong with the settings. */
    readonly mistakes?: readonly { readonly source: string; readonly problem: string }[];
    /** The first lines of the input that cannot be sent. */
    readonly lines?: readonly { readonly line: number; readonly code: ErrorCode; readonly message: string }[];
    /** Of a fault of the program. */
    readonly stack?: string;
  };
}

/** The same as {@link failureText} for programs. */
export function failureDocument(thrown: unknown): FailureDocument {
  const error = toPersistenceError(thrown);
  const because = isPersistenceError(thrown) ? reasonOf(error) : undefined;
  const next = nextSteps[error.code];
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(because === undefined ? {} : { because }),
      ...(next === undefined ? {} : { next }),
      retryable: error.retryable,
      exit_code: exitCodes[exitNameOf(thrown)].code,
      ...(error instanceof ConfigurationError ? { mistakes: error.mistakes } : {}),
      ...(error instanceof InputRefused
        ? { lines: error.lines.map(({ line, refusal: { code, message } }) => ({ line, code, message })) }
        : {}),
      ...(thrown instanceof Error && !isPersistenceError(thrown) ? { stack: thrown.stack ?? '' } : {}),
    },
  };
}

/**
 * What to do after a failure, where its message cannot know. Messages about what was typed or sent say themselves what
 * to correct.
 */
export const nextSteps: Readonly<Partial<Record<ErrorCode, string>>> = {
  STORE_LOCKED: 'stop that process, or wait until it ends; `macp-persist doctor` tells which one it is',
  QUEUE_LOCKED: 'stop that process, or wait until it ends; `macp-persist doctor` tells which one it is',
  STORE_UNAVAILABLE: 'try again; `macp-persist doctor` looks at what the store stands on',
  QUEUE_UNAVAILABLE: 'try again; `macp-persist doctor` looks at what the queue stands on',
  STORE_IO_FAILED: 'look at the disk (`macp-persist doctor`), then start again: the start recovers from what is on it',
  QUEUE_IO_FAILED: 'look at the disk (`macp-persist doctor`), then start again: the start recovers from what is on it',
  STORE_CORRUPT: 'keep a copy of the directory first; docs/recover.md tells how to go on',
  QUEUE_CORRUPT: 'keep a copy of the directory first; docs/recover.md tells how to go on',
  STORE_TOO_NEW: 'use the release that wrote it, or a newer one',
  QUEUE_TOO_NEW: 'use the release that wrote it, or a newer one',
  DISK_FULL: 'make room; nothing that was acknowledged is lost',
  QUEUE_FULL: 'persist what waits with `macp-persist worker`, or allow more with --embedded-maximum-backlog',
  SOURCE_LOST_HISTORY: 'use the queue and the store that belong together; docs/recover.md tells what else can be done',
  SESSION_NOT_FOUND: '`macp-persist sessions list` shows which sessions there are',
  NOT_YET_APPLIED: 'ask again; `macp-persist sessions show` tells whether the session is blocked',
  NOT_OPEN: '`macp-persist sessions show` tells which number is open; somebody may have decided already',
  DEAD_LETTERED: '`macp-persist dead-letters show` tells why',
  WRITER_FENCED: 'let the other writer work, or start again under a fresh name',
  SERVICE_UNAVAILABLE: 'try again; `macp-persist status` tells whether it runs',
  STALLED: 'start again; when it comes back, look at the store and its disk with `macp-persist doctor`',
};

/** What a library said about it. Of a lock it says only once more that there is one. */
function reasonOf({ code, cause }: PersistenceError): string | undefined {
  if (code === 'STORE_LOCKED' || code === 'QUEUE_LOCKED' || !(cause instanceof Error)) return undefined;
  return cause.message;
}
