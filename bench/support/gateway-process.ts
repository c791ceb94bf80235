import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { Appended } from './appends.ts';
import { freePort } from './services.ts';

const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/**
 * `macp-persist start` or `gateway` with a gateway, in a process of its own, and the one connection at a time that
 * appends to it.
 */
export async function gatewayAppended(command: 'start' | 'gateway', flags: readonly string[]): Promise<Appended> {
  const port = await freePort();
  const words = [command, '--gateway-port', `${port}`, '--log-level', 'error', ...flags];
  const child = spawn(process.execPath, [cli, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  let connection = connected(port);
  await connection;
  return {
    async append(session, entry) {
      for (;;) {
        const used = connection;
        try {
          return await (await used).rpush(`macp:log:${session}`, Buffer.from(entry));
        } catch {
          // What the gateway cannot answer in time it refuses or cuts off: that takes the longer then.
          if (used !== connection) continue;
          connection = connected(port);
          (await used).disconnect();
        }
      }
    },
    async [Symbol.asyncDispose]() {
      (await connection).disconnect();
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** A connection that is made once the gateway listens and answers reads; it is not made again by itself. */
async function connected(port: number): Promise<Redis> {
  for (let attempt = 0; ; attempt += 1) {
    const options = { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 };
    const redis = new Redis({ host: '127.0.0.1', port, ...options });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.smembers('macp:sessions');
      return redis;
    } catch (error) {
      redis.disconnect();
      if (attempt === 300) throw error;
    }
    await delay(100);
  }
}
