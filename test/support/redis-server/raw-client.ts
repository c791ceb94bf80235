import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { requestBytes } from '../redis-requests.ts';

/** A client that sends exactly what it is told to, and reads what comes as it stands. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  #received = '';
  #isClosed = false;
  #changed: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (part) => {
      this.#received += part.toString('latin1');
      this.#tell();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#tell();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Everything that came and was not taken. */
  get received(): string {
    return this.#received;
  }

  /** Sends a request; resolves once the system has it. */
  send(...parts: readonly (string | Uint8Array)[]): Promise<void> {
    return this.write(requestBytes(...parts));
  }

  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** Resolves with all that came, once `complete` holds of it, and forgets it. Rejects when the connection closes. */
  async until(complete: (received: string) => boolean): Promise<string> {
    while (!complete(this.#received)) {
      if (this.#isClosed) throw new Error(`closed after ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
    const received = this.#received;
    this.#received = '';
    return received;
  }

  /** Sends a request, and resolves with the one line, or the one bulk string, of its answer. */
  async ask(...parts: readonly (string | Uint8Array)[]): Promise<string> {
    await this.send(...parts);
    return this.answer();
  }

  /** The next answer, of which nothing may follow. */
  async answer(): Promise<string> {
    const received = await this.until((text) => text.endsWith('\r\n') && (text[0] !== '$' || isWholeBulk(text)));
    return received[0] === '$' && received !== '$-1\r\n'
      ? received.slice(received.indexOf('\n') + 1, -2)
      : received.trim();
  }

  /** Everything that came until the connection was closed. */
  async closed(): Promise<string> {
    while (!this.#isClosed) await new Promise<void>((resolve) => this.#changed.push(resolve));
    return this.#received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #tell(): void {
    for (const tell of this.#changed.splice(0)) tell();
  }
}

function isWholeBulk(text: string): boolean {
  const lineEnd = text.indexOf('\r\n');
  const length = Number(text.slice(1, lineEnd));
  return length < 0 || text.length >= lineEnd + 2 + length + 2;
}
