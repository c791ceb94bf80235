import type { NumberedType } from '../domain/command.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../domain/identifiers.ts';
import { checkCommand } from '../domain/wire/content.ts';
import { type Acknowledgement, type AcknowledgingOptions, acknowledgementOf } from './acknowledgement.ts';
import { numbered, type UnnumberedCommand } from './input-event.ts';
import { arrayBytes, documentBytes, type JsonDocument } from './json-document.ts';
import type { Lane } from './lane.ts';

export interface SendOptions {
  /** Takes the command back as long as it is not its turn yet (`ABORTED`); after that the outcome is awaited. */
  readonly signal?: AbortSignal | undefined;
  /** RFC 3339; passed through. */
  readonly time?: string | undefined;
  /** W3C trace context; passed through. */
  readonly traceparent?: string | undefined;
}

const nothing = new Uint8Array();
// Stands in for the number, which is given later: every number is as good to the check.
const someSequence = 1 as Sequence;

/**
 * The writer that reigns in one session: made by `Publisher.open`. Commands take effect in the order in which they are
 * sent, without waiting for one another; each resolves once it is durable in the queue.
 *
 * A command that a worker would refuse is rejected with its code, takes no number and disturbs nothing. When a publish
 * fails with an error that is not retryable, nobody knows whether it arrived: that send and all later ones reject with
 * it, until the session is opened anew. They reject with `WRITER_FENCED` once another writer is seen to have claimed
 * the session: at the latest about a second after its claim was applied, for a writer that goes on sending.
 */
export class SessionWriter implements AsyncDisposable {
  readonly #lane: Lane;
  readonly #options: AcknowledgingOptions;

  /** Not for callers: a writer reigns only where it was opened. */
  constructor(lane: Lane, options: AcknowledgingOptions) {
    this.#lane = lane;
    this.#options = options;
  }

  get session(): SessionId {
    return this.#lane.session;
  }

  get writer(): Writer {
    return this.#lane.writer;
  }

  get epoch(): Epoch {
    return this.#lane.epoch;
  }

  /** The last number of the session that was given. */
  get last(): Sequence {
    return this.#lane.last;
  }

  /** Why nothing more can be sent; undefined as long as something can. */
  get failure(): PersistenceError | undefined {
    return this.#lane.failure;
  }

  /** Makes the session known; one that exists keeps its log. Any other first command makes it known as well. */
  create(options?: SendOptions): Promise<Acknowledgement> {
    return this.send('macp.session.create.v1', nothing, options);
  }

  /** Adds a `LogEntry` at the end of the log. */
  async append(entry: JsonDocument, options?: SendOptions): Promise<Acknowledgement> {
    return this.send('macp.log.append.v1', documentBytes(entry), options);
  }

  /** Replaces the snapshot, a `PersistedSession` of this session. */
  async save(snapshot: JsonDocument, options?: SendOptions): Promise<Acknowledgement> {
    return this.send('macp.session.save.v1', documentBytes(snapshot), options);
  }

  /** Replaces the whole log in one step. */
  async replaceLog(entries: readonly JsonDocument[], options?: SendOptions): Promise<Acknowledgement> {
    return this.send('macp.log.replace.v1', arrayBytes(entries), options);
  }

  /** Removes snapshot, log, receipt and anchor; the next command starts the session anew. */
  delete(options?: SendOptions): Promise<Acknowledgement> {
    return this.send('macp.session.delete.v1', nothing, options);
  }

  /** Stores the receipt, opaque bytes, unless the session has one. Without effect on a session that is not known. */
  storeReceipt(receipt: Uint8Array, options?: SendOptions): Promise<Acknowledgement> {
    return this.send('macp.receipt.store.v1', receipt, options);
  }

  /** Replaces the trace anchor, opaque bytes. Without effect on a session that is not known. */
  storeAnchor(anchor: Uint8Array, options?: SendOptions): Promise<Acknowledgement> {
    return this.send('macp.anchor.store.v1', anchor, options);
  }

  /** Sends one command; `data` must not be changed before it is acknowledged. */
  async send(type: NumberedType, data: Uint8Array, options: SendOptions = {}): Promise<Acknowledgement> {
    const { signal, time, traceparent } = options;
    const draft: UnnumberedCommand = { session: this.session, type, data, time, traceparent };
    const { refusal } = checkCommand(numbered(draft, this.writer, this.epoch, someSequence));
    if (refusal !== undefined) throw new PersistenceError(refusal.code, refusal.message);
    const { outbox, fences } = this.#options;
    const sent = await outbox.put(this.#lane, draft, signal);
    fences.noteSent(this.#lane);
    return acknowledgementOf(sent, this.#lane, this.#options);
  }

  /** Takes back what waits for its turn (`ABORTED`), and resolves once what is under way is settled. Idempotent. */
  async close(): Promise<void> {
    const { outbox } = this.#options;
    outbox.fail(this.#lane, new PersistenceError('ABORTED', 'the writer of this session was closed'));
    await outbox.whenSettled(this.#lane);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
