import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';

/** Whom it tells of what happens to what is on its way. */
export interface OutgoingListener {
  /** There may be room again. */
  drained(): void;
  /** Something was not handed to the socket in time. */
  late(): void;
}

/** Most bytes handed to a socket before it has sent what it has. */
const mostHanded = 256 * 1_024;

/**
 * Bytes on their way to a client, handed to its socket no faster than it takes them: what the socket does not have yet
 * can still be dropped.
 */
export class Outgoing {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #listener: OutgoingListener;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** By when what waits must be handed over, in `Clock.elapsed`. */
  #until = Number.POSITIVE_INFINITY;
  #isBlocked = false;
  #isScheduled = false;
  #isEnding = false;
  #rounds = 0;
  readonly #whenRoom: (() => void)[] = [];

  constructor(socket: Socket, clock: Clock, listener: OutgoingListener) {
    this.#socket = socket;
    this.#clock = clock;
    this.#listener = listener;
    socket.on('drain', () => {
      this.#isBlocked = false;
      this.#rounds = 0;
      this.#hand();
      this.#tellRoom();
      this.#listener.drained();
    });
  }

  /** Bytes that the client has not taken yet. */
  get held(): number {
    return this.#waitingBytes + this.#socket.writableLength;
  }

  /** True while what is there already should go first. */
  get isFull(): boolean {
    return this.#isBlocked || this.#waitingBytes >= mostHanded;
  }

  /** Whether something that is not handed over yet should have been by `now`. */
  isLate(now: number): boolean {
    return this.#waitingBytes > 0 && now > this.#until;
  }

  /** `until`: see `RedisAnswer`. */
  add(pieces: readonly Uint8Array[], until = Number.POSITIVE_INFINITY): void {
    if (this.#socket.destroyed) return;
    this.#until = Math.min(this.#until, until);
    for (const piece of pieces) {
      this.#waiting.push(piece);
      this.#waitingBytes += piece.length;
    }
    if (this.#isScheduled || this.#isBlocked) return;
    this.#isScheduled = true;
    // What is answered in one go is sent in one go.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#hand();
    });
  }

  /** One more round has passed; returns for how many the client has taken nothing of what there is for it. */
  round(): number {
    this.#rounds = this.#isBlocked ? this.#rounds + 1 : 0;
    return this.#rounds;
  }

  /** Resolves with true once there is room, and others had their turn; with false when nobody is there any more. */
  async whenRoom(): Promise<boolean> {
    await nextTurn();
    while (this.isFull && !this.#socket.destroyed) {
      await new Promise<void>((resolve) => this.#whenRoom.push(resolve));
    }
    return !this.#socket.destroyed;
  }

  /** Ends the connection once all is sent. */
  end(): void {
    this.#isEnding = true;
    this.#hand();
  }

  /** Forgets what the socket does not have yet: the connection is gone. */
  drop(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#tellRoom();
  }

  #hand(): void {
    while (!this.#isBlocked && this.#waitingBytes > 0 && !this.#socket.destroyed) {
      const bytes = this.#take();
      // The last moment at which it is known: what the socket has cannot be taken back.
      if (this.#clock.elapsed() > this.#until) return this.#listener.late();
      this.#isBlocked = !this.#socket.write(bytes);
    }
    if (this.#waitingBytes === 0) this.#until = Number.POSITIVE_INFINITY;
    if (this.#isEnding && this.#waitingBytes === 0) this.#socket.end();
  }

  #tellRoom(): void {
    for (const resolve of this.#whenRoom.splice(0)) resolve();
  }

  /** The next bytes, joined where they are few. */
  #take(): Uint8Array {
    const taken: Uint8Array[] = [];
    let room = mostHanded;
    while (room > 0) {
      const piece = this.#waiting.shift();
      if (piece === undefined) break;
      const part = piece.subarray(0, room);
      if (part.length < piece.length) this.#waiting.unshift(piece.subarray(room));
      taken.push(part);
      room -= part.length;
    }
    this.#waitingBytes -= mostHanded - room;
    const [first = new Uint8Array()] = taken;
    return taken.length === 1 ? first : Buffer.concat(taken);
  }
}
