/**
 * Every way this system can fail, as data. A code is unique, documented in `docs/errors.md` and never reused;
 * `retryable` says whether doing the very same thing again later can succeed.
 */
const definitions = {
  // Refusals: what was sent is wrong, and no retry will change it.
  INVALID_EVENT: { retryable: false, meaning: 'not a CloudEvents 1.0 event that this system can read' },
  UNSUPPORTED_SPEC_VERSION: { retryable: false, meaning: 'the CloudEvents specversion is not 1.0' },
  UNSUPPORTED_CONTENT_MODE: { retryable: false, meaning: 'the message uses a content mode that is not accepted here' },
  MISSING_ATTRIBUTE: { retryable: false, meaning: 'a required event attribute is absent' },
  INVALID_ATTRIBUTE: { retryable: false, meaning: 'an event attribute has a value that is not allowed' },
  REPEATED_ATTRIBUTE: { retryable: false, meaning: 'an event attribute stands more than once' },
  UNKNOWN_TYPE: { retryable: false, meaning: 'the event type is none of the command types' },
  INVALID_SESSION_ID: { retryable: false, meaning: 'the session id is not storage-safe' },
  INVALID_SEQUENCE: { retryable: false, meaning: 'macpsequence is not a decimal number from 1 to 2^53-1' },
  INVALID_EPOCH: { retryable: false, meaning: 'macpepoch is not a decimal number from 1 to 2^53-1' },
  INVALID_WRITER: { retryable: false, meaning: 'source is not a URI-reference' },
  INVALID_DATA: { retryable: false, meaning: 'the data is not a well-formed document of its kind' },
  DATA_TOO_LARGE: { retryable: false, meaning: 'the data is larger than 16 MiB' },
  WRONG_PARTITION: { retryable: false, meaning: 'the record lies in another partition than its session belongs to' },
  UNREADABLE_BATCH: { retryable: false, meaning: 'a batch of records is damaged, or would expand without limit' },
  MIXED_EVENTS: { retryable: false, meaning: 'numbered and unnumbered events are mixed in one input' },

  // The store.
  STORE_LOCKED: { retryable: false, meaning: 'another process owns this store' },
  STORE_UNAVAILABLE: { retryable: true, meaning: 'the store does not answer at present' },
  STORE_IO_FAILED: {
    retryable: false,
    meaning: 'the store could not write or sync; the process must recover from disk',
  },
  STORE_CORRUPT: { retryable: false, meaning: 'the store holds something it should not hold' },
  STORE_CHANGED_ELSEWHERE: {
    retryable: false,
    meaning: 'something else wrote to the store after this system did; it has to be adopted as it is now',
  },
  STORE_TOO_NEW: { retryable: false, meaning: 'the store was written by a newer layout version' },
  STORE_NOT_DURABLE: {
    retryable: false,
    meaning: 'the store is set up so that a power cut loses what it acknowledged',
  },
  ADDON_MISSING: { retryable: false, meaning: 'the native addon of this store is not built, or not for this machine' },
  VIEW_EXPIRED: { retryable: true, meaning: 'what was being read was replaced too long ago; read it anew' },
  STORE_CLOSED: { retryable: false, meaning: 'the store was closed' },
  DISK_FULL: { retryable: true, meaning: 'the disk is full; nothing is written until there is room again' },
  POSITION_MISMATCH: { retryable: false, meaning: 'the commit starts from a position that is not the stored one' },
  CURSOR_MISMATCH: {
    retryable: false,
    meaning: 'a session changed since the commit was decided; it has to be decided again',
  },
  SESSION_NOT_FOUND: { retryable: false, meaning: 'no such session exists in the store' },
  BELOW_COMPACTION_BASE: { retryable: false, meaning: 'the accepted ordinals asked for were compacted away' },
  NOT_STORED: { retryable: false, meaning: 'the store holds no such document, dead letter or backup' },
  NOT_YET_APPLIED: { retryable: true, meaning: 'what was waited for was not applied in time' },
  TARGET_NOT_EMPTY: { retryable: false, meaning: 'the store to be filled holds something else' },
  TARGET_IN_USE: { retryable: false, meaning: 'another process works on the store that is being filled' },
  STORE_PARTIAL: { retryable: false, meaning: 'the store holds only some sessions of its source' },
  COPY_INCOMPLETE: { retryable: false, meaning: 'the store is a copy that was begun and not finished' },
  COPY_DIFFERS: { retryable: false, meaning: 'a copy does not hold what its source holds' },

  // The queue.
  QUEUE_LOCKED: { retryable: false, meaning: 'another process owns this queue' },
  QUEUE_FULL: { retryable: true, meaning: 'the queue holds as many unconsumed bytes as it may' },
  QUEUE_UNAVAILABLE: { retryable: true, meaning: 'the queue does not answer at present' },
  QUEUE_IO_FAILED: {
    retryable: false,
    meaning: 'the queue could not write or sync; the process must recover from disk',
  },
  QUEUE_CORRUPT: { retryable: false, meaning: 'the queue holds a damaged record before its end' },
  QUEUE_TOO_NEW: { retryable: false, meaning: 'the queue was written by a newer layout version' },
  QUEUE_UNSAFE: {
    retryable: false,
    meaning: 'the topic is missing, or set up so that it would lose commands or their order',
  },
  QUEUE_MOVED: { retryable: false, meaning: 'the topic was repartitioned: its commands go to another one now' },
  QUEUE_CHANGING: { retryable: true, meaning: 'the number of shards of the queue is being changed' },
  QUEUE_CHANGED: {
    retryable: false,
    meaning: 'the queue was given another number of shards since it was opened',
  },
  GROUP_CONFLICT: {
    retryable: false,
    meaning: 'consumers of one group fill different stores',
  },
  QUEUE_CLOSED: { retryable: false, meaning: 'the queue was closed' },
  SOURCE_LOST_HISTORY: {
    retryable: false,
    meaning: 'the source no longer holds the position that the store stands at',
  },

  // Writing to a session.
  STANDING_UNKNOWN: { retryable: false, meaning: 'the publisher has no way to learn where a session stands' },
  DEAD_LETTERED: { retryable: false, meaning: 'the command became a dead letter instead of being applied' },
  NOT_OPEN: { retryable: false, meaning: 'the number is not the open one of a blocked session' },

  // The service.
  INVALID_REQUEST: { retryable: false, meaning: 'a parameter of the request is not valid' },
  UNSUPPORTED_MEDIA_TYPE: { retryable: false, meaning: 'the content type of the request is not accepted here' },
  REQUEST_TOO_LARGE: { retryable: false, meaning: 'the body of the request is larger than the service takes' },
  NO_SUCH_RESOURCE: { retryable: false, meaning: 'the service has nothing at this path, or not for this method' },
  UNAUTHENTICATED: { retryable: false, meaning: 'the service wants a bearer token that it knows' },
  FORBIDDEN: { retryable: false, meaning: 'the token does not have the scope that this needs' },
  TOO_MANY_REQUESTS: { retryable: true, meaning: 'more requests came than the service takes at a time' },
  SERVICE_UNAVAILABLE: { retryable: true, meaning: 'the service does not answer, or is stopping' },
  NOT_SUPPORTED: { retryable: false, meaning: 'this store, queue or mode cannot do that' },
  STALLED: { retryable: false, meaning: 'commands are waiting, and none was persisted for too long' },

  // The person at the keyboard.
  INVALID_CONFIGURATION: { retryable: false, meaning: 'the settings are not valid' },
  INVALID_INPUT: { retryable: false, meaning: 'the input cannot be used' },
  WRITER_FENCED: { retryable: false, meaning: 'another writer has claimed the session' },
  UNEXPECTED: { retryable: false, meaning: 'a defect of this program: nothing like it should happen' },
  ABORTED: { retryable: false, meaning: 'the caller gave up waiting' },
} as const satisfies Record<string, { retryable: boolean; meaning: string }>;

/** A stable, documented name of one way to fail. */
export type ErrorCode = keyof typeof definitions;

/** All codes with their meaning, in documentation order. */
export const errorDefinitions: Readonly<Record<ErrorCode, { readonly retryable: boolean; readonly meaning: string }>> =
  definitions;

/**
 * The one error type of this project. `message` names what was wrong and what to do; `code` is for programs;
 * `retryable` follows from the code; `cause` keeps what a library threw.
 */
export class PersistenceError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'PersistenceError';
    this.code = code;
    this.retryable = definitions[code].retryable;
  }
}

/** True when `error` is a {@link PersistenceError}, of the given code if one is given. */
export function isPersistenceError(error: unknown, code?: ErrorCode): error is PersistenceError {
  return error instanceof PersistenceError && (code === undefined || error.code === code);
}

/** Whatever was thrown, as a {@link PersistenceError}: what nobody classified is `UNEXPECTED` and never retried. */
export function toPersistenceError(thrown: unknown): PersistenceError {
  if (isPersistenceError(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PersistenceError('UNEXPECTED', `unexpected failure: ${message}`, { cause: thrown });
}
