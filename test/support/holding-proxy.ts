import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between clients and a server of this machine; what either says arrives, but answers may have to wait. */
export interface HoldingProxy extends AsyncDisposable {
  readonly port: number;
  /** Where connections lead that are made from now on. */
  leadTo(port: number): void;
  /** Until {@link release}, no answer of the server is passed on. */
  hold(): void;
  release(): void;
  /** The first answer that the server gives from now on to what contains `text`, and all behind it, are held. */
  holdAnswerTo(text: string): Promise<void>;
}

export async function startHoldingProxy(target = 0): Promise<HoldingProxy> {
  let goal = target;
  let holds = false;
  let trigger: { readonly text: string; readonly pulled: () => void } | undefined;
  const servers = new Set<Socket>();
  const sockets = new Set<Socket>();
  const hold = (): void => {
    holds = true;
    for (const server of servers) server.pause();
  };
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ port: goal, host: '127.0.0.1', noDelay: true });
    const end = (): void => {
      for (const socket of [client, server]) socket.destroy();
      servers.delete(server);
      sockets.delete(client);
    };
    servers.add(server);
    sockets.add(client);
    if (holds) server.pause();
    client.on('data', (data) => {
      if (trigger !== undefined && data.includes(trigger.text)) {
        hold();
        trigger.pulled();
        trigger = undefined;
      }
      server.write(data);
    });
    server.on('data', (data) => client.write(data));
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    // A server that listens at a port has an address of this form.
    port: (listener.address() as AddressInfo).port,
    leadTo(port) {
      goal = port;
    },
    hold,
    release() {
      holds = false;
      for (const server of servers) server.resume();
    },
    holdAnswerTo(text) {
      return new Promise((pulled) => {
        trigger = { text, pulled };
      });
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const socket of [...sockets, ...servers]) socket.destroy();
      await once(listener, 'close');
    },
  };
}
