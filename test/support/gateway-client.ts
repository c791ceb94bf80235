import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RunningProgram } from './running-program.ts';

/** As macp-runtime is: what got no answer is not sent again by itself, and a connection that was ended stays so. */
export function connectGateway(port: number, options: { readonly password?: string } = {}): Redis {
  const client = new Redis({ port, retryStrategy: () => null, maxRetriesPerRequest: 0, ...options });
  client.on('error', () => undefined);
  return client;
}

/**
 * What a gateway answers, asked over new connections until it does: on a busy machine it refuses, or cuts off, what it
 * cannot answer in time, and then a write may have been done.
 */
export async function askGateway(port: number, command: string, ...words: readonly string[]): Promise<unknown> {
  for (;;) {
    const client = connectGateway(port);
    try {
      return await client.call(command, ...words);
    } catch {
      await wait(20);
    } finally {
      client.disconnect();
    }
  }
}

/** Resolves once the gateway of this program has been open. */
export function untilGatewayOpen(program: RunningProgram): Promise<void> {
  return program.until(({ log }) => log.some(({ msg, to }) => msg === 'gateway state' && to === 'open'));
}

/** The port at which the gateway of this program listens, once it does. */
export async function gatewayPort(program: RunningProgram): Promise<number> {
  await program.untilLogged('the gateway listens');
  const { address } = program.log.find(({ msg }) => msg === 'the gateway listens') ?? {};
  return Number(String(address).split(':').at(-1));
}
