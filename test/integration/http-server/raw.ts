import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { HttpServer } from '../../../src/http-server/server.ts';

/** A connection that says exactly what it is told to. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything that came so far. */
  received(): string;
  /** Resolves once `text` came; rejects when the connection closes before. */
  until(text: string): Promise<void>;
  /** Everything that came, once the connection is closed. */
  closed(): Promise<string>;
}

export async function rawConnection(server: HttpServer): Promise<RawConnection> {
  const socket = connect(server.address.port, server.address.host);
  let received = '';
  socket.on('data', (part) => {
    received += part.toString('latin1');
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(() => received);
  await once(socket, 'connect');
  return {
    socket,
    received: () => received,
    async until(text) {
      while (!received.includes(text)) {
        if (socket.closed) throw new Error(`closed after ${JSON.stringify(received)}`);
        await Promise.race([once(socket, 'data'), closed]);
      }
    },
    closed: () => closed,
  };
}

/** Sends `text` on a connection of its own; resolves with all that came until the server closed it. */
export async function sendRaw(server: HttpServer, text: string | Buffer): Promise<string> {
  const connection = await rawConnection(server);
  connection.socket.write(text);
  return await connection.closed();
}
