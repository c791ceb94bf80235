import type { Cursor } from '../domain/cursor.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { FiledId } from '../domain/plan.ts';
import type {
  AcceptedEntry,
  BackupSummary,
  DeadLetterDetail,
  DeadLetterPage,
  DeadLetterQuery,
  FollowedEvent,
  FollowPoint,
  PublishRequest,
  PublishResult,
  RepairRequest,
  Service,
  ServiceStatus,
  SessionPage,
  SessionQuery,
  SessionSummary,
  SkipRequest,
  Waiting,
} from '../ports/service.ts';
import type { LogRange } from '../ports/store.ts';
import { backUp } from './backups.ts';
import { type ReadingPart, SessionReads, type SessionReadsOptions } from './session-reads.ts';

/** The part of a service that publishes. */
export type PublishingPart = Pick<Service, 'publish'>;
/** The part of a service for whoever decides about dead letters. */
export type OperatorsPart = Pick<Service, 'listDeadLetters' | 'showDeadLetter' | 'skip' | 'repair'>;

export interface LocalServiceOptions extends SessionReadsOptions {
  /** Undefined where there is no queue to publish to: `NOT_SUPPORTED`. */
  readonly publishing: PublishingPart | undefined;
  readonly operators: OperatorsPart;
  readonly status: () => Promise<ServiceStatus>;
  /** Where backups are made: an absolute path. */
  readonly backupDirectory: string;
  /** Releases what was opened for this service only; called once, by the first close. */
  readonly release: () => Promise<void>;
}

/** A {@link Service} over what this process has open, made of its parts. */
export class LocalService implements Service {
  readonly #options: LocalServiceOptions;
  readonly #reads: ReadingPart;
  #closing: Promise<void> | undefined;

  constructor(options: LocalServiceOptions) {
    this.#options = options;
    this.#reads = new SessionReads(options);
  }

  listSessions(query: SessionQuery): Promise<SessionPage> {
    return this.#reads.listSessions(query);
  }

  showSession(session: SessionId): Promise<SessionSummary> {
    return this.#reads.showSession(session);
  }

  cursor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Cursor> {
    return this.#reads.cursor(session, waiting, signal);
  }

  snapshot(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#reads.snapshot(session, waiting, signal);
  }

  receipt(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#reads.receipt(session, waiting, signal);
  }

  anchor(session: SessionId, waiting?: Waiting, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#reads.anchor(session, waiting, signal);
  }

  log(
    session: SessionId,
    range: LogRange,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncIterable<readonly Uint8Array[]> {
    return this.#reads.log(session, range, waiting, signal);
  }

  follow(session: SessionId, from: FollowPoint, signal: AbortSignal): AsyncIterable<FollowedEvent> {
    return this.#reads.follow(session, from, signal);
  }

  incoming(
    session: SessionId,
    after: number,
    waiting?: Waiting,
    signal?: AbortSignal,
  ): AsyncIterable<readonly AcceptedEntry[]> {
    return this.#reads.incoming(session, after, waiting, signal);
  }

  dump(signal?: AbortSignal): AsyncIterable<string> {
    return this.#reads.dump(signal);
  }

  async publish(request: PublishRequest): Promise<readonly PublishResult[]> {
    const { publishing } = this.#options;
    if (publishing !== undefined) return await publishing.publish(request);
    throw new PersistenceError(
      'NOT_SUPPORTED',
      'this service has no queue to publish to: publish where the worker runs',
    );
  }

  listDeadLetters(query: DeadLetterQuery): Promise<DeadLetterPage> {
    return this.#options.operators.listDeadLetters(query);
  }

  showDeadLetter(id: FiledId, session: SessionId | undefined): Promise<DeadLetterDetail> {
    return this.#options.operators.showDeadLetter(id, session);
  }

  skip(request: SkipRequest): Promise<PublishResult> {
    return this.#options.operators.skip(request);
  }

  repair(request: RepairRequest): Promise<PublishResult> {
    return this.#options.operators.repair(request);
  }

  status(): Promise<ServiceStatus> {
    return this.#options.status();
  }

  backup(name: string): Promise<BackupSummary> {
    return backUp(this.#options.store, this.#options.backupDirectory, name);
  }

  /** Releases what was opened for this service. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#options.release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
