import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server of this machine, and cuts their connections when it is told to. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections it cut. */
  readonly cuts: number;
  /** What the server next answers to anybody is not passed on: instead the connection is cut. */
  swallowAnswer(): void;
  /** Cuts the connection of whoever sends next, once this many bytes more went to the server. */
  cutAfter(bytes: number): void;
  /** From its answer number `answers`, from 0, on it passes nothing on to anybody any more, and cuts whoever comes. */
  dieAt(answers: number, died: () => void): void;
  /** Cuts all connections; those that come lead to another server of this machine. */
  leadTo(port: number): void;
}

export async function startCuttingProxy(target: number): Promise<CuttingProxy> {
  let goal = target;
  let swallows = false;
  let bytesLeft = Number.POSITIVE_INFINITY;
  let cuts = 0;
  let answersLeft = Number.POSITIVE_INFINITY;
  let died: () => void = () => undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(goal, '127.0.0.1');
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
      sockets.delete(client);
    };
    sockets.add(client);
    client.on('data', (data) => {
      if (data.length < bytesLeft) {
        bytesLeft -= data.length;
        upstream.write(data);
        return;
      }
      upstream.write(data.subarray(0, bytesLeft), cut);
      bytesLeft = Number.POSITIVE_INFINITY;
      cuts += 1;
    });
    upstream.on('data', (data) => {
      answersLeft -= 1;
      if (answersLeft < 0) {
        cut();
        return died();
      }
      if (!swallows) {
        client.write(data);
        return;
      }
      swallows = false;
      cuts += 1;
      cut();
    });
    for (const socket of [client, upstream]) socket.on('error', cut).on('close', cut);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    swallowAnswer() {
      swallows = true;
    },
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    dieAt(answers, whenDead) {
      answersLeft = answers;
      died = whenDead;
    },
    leadTo(port) {
      goal = port;
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
