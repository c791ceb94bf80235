import { encodeReply, encodeValues, type Protocol, sizeOfReply, streamBeginning } from './encode-reply.ts';
import type { Outgoing } from './outgoing.ts';
import type { ServerReply, StreamReply } from './replies.ts';
import type { Answer } from './server-commands.ts';

/** Whom a queue of replies tells of what happens in it. */
export interface ReplyListener {
  /** Answers came or went. */
  moved(): void;
  /** No answer may be given any more. */
  cut(reason: string): void;
}

/** A request that is not answered yet. */
interface Slot {
  reply: ServerReply | undefined;
  replySize: number;
  readonly requestSize: number;
  readonly protocol: Protocol;
}

/** Sends the answers of one client in the order of its requests, whenever they come. */
export class ReplyQueue {
  readonly #outgoing: Outgoing;
  readonly #listener: ReplyListener;
  readonly #slots: Slot[] = [];
  #requestBytes = 0;
  #replyBytes = 0;
  #isStreaming = false;
  #isEnding = false;

  constructor(outgoing: Outgoing, listener: ReplyListener) {
    this.#outgoing = outgoing;
    this.#listener = listener;
  }

  /** Requests that are not answered yet. */
  get length(): number {
    return this.#slots.length;
  }

  /** Bytes of such requests. */
  get requestBytes(): number {
    return this.#requestBytes;
  }

  /** Bytes of answers that wait for those before them, or for the client. */
  get replyBytes(): number {
    return this.#replyBytes;
  }

  /** Whether an answer that waits for those before it should have been given by `now`. */
  isLate(now: number): boolean {
    return this.#replyBytes > 0 && this.#slots.some(({ reply }) => now > (reply?.until ?? Number.POSITIVE_INFINITY));
  }

  /** Adds what becomes of the next request, to be written in `protocol`. */
  add(answer: Answer, protocol: Protocol, requestSize: number): void {
    const slot: Slot = { reply: undefined, replySize: 0, requestSize, protocol };
    this.#slots.push(slot);
    this.#requestBytes += requestSize;
    if (!(answer instanceof Promise)) {
      this.#fill(slot, answer);
      this.advance();
      return;
    }
    answer.then(
      (reply) => this.#settle(slot, reply),
      () => this.#listener.cut('a request failed, which is a defect'),
    );
  }

  /** Ends the connection once all that was added is answered. */
  end(): void {
    this.#isEnding = true;
    this.advance();
  }

  /** Sends what can be sent. */
  advance(): void {
    while (!this.#isStreaming && !this.#outgoing.isFull) {
      const [slot] = this.#slots;
      if (slot?.reply === undefined) break;
      this.#slots.shift();
      this.#requestBytes -= slot.requestSize;
      this.#replyBytes -= slot.replySize;
      this.#send(slot.reply, slot.protocol);
    }
    if (this.#isEnding && this.#slots.length === 0 && !this.#isStreaming) this.#outgoing.end();
  }

  #settle(slot: Slot, reply: ServerReply | undefined): void {
    if (reply === undefined) {
      this.#listener.cut('a request has no certain answer');
      return;
    }
    this.#fill(slot, reply);
    this.advance();
    this.#listener.moved();
  }

  #fill(slot: Slot, reply: ServerReply): void {
    slot.reply = reply;
    slot.replySize = sizeOfReply(reply);
    this.#replyBytes += slot.replySize;
  }

  #send(reply: ServerReply, protocol: Protocol): void {
    if (reply.kind !== 'stream') {
      this.#outgoing.add(encodeReply(reply, protocol), reply.until);
      return;
    }
    this.#isStreaming = true;
    this.#stream(reply, protocol).then(
      () => {
        this.#isStreaming = false;
        this.advance();
        this.#listener.moved();
      },
      () => this.#listener.cut('an answer broke off'),
    );
  }

  async #stream(reply: StreamReply, protocol: Protocol): Promise<void> {
    this.#outgoing.add([streamBeginning(reply, protocol)]);
    let missing = reply.count;
    for await (const values of reply.chunks) {
      missing -= values.length;
      if (missing < 0) break;
      this.#outgoing.add(encodeValues(values));
      if (!(await this.#outgoing.whenRoom())) return;
    }
    if (missing !== 0) throw new TypeError(`a stream of ${reply.count} values had others`);
  }
}
