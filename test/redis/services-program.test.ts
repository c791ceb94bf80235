import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';

async function pings(address: string): Promise<boolean> {
  const client = new Redis(address, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  'npm run services serves until %s, and leaves nothing behind',
  async (signal) => {
    const scratch = await mkdtemp(join(tmpdir(), 'services-program-'));
    const { MACP_PERSIST_TEST_REDIS: _, ...environment } = process.env;
    const services = spawn(process.execPath, [join(root, 'scripts/services.mjs'), '--redis'], {
      env: { ...environment, TMPDIR: scratch },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(services, 'exit');
    let address = '';
    for await (const line of createInterface({ input: services.stdout })) {
      address ||= /MACP_PERSIST_STORE=(redis:\S+)/.exec(line)?.[1] ?? '';
      if (!line.startsWith('Ctrl-C')) continue;
      expect(await pings(address)).toBe(true);
      services.kill(signal);
    }
    expect(await ended).toEqual([0, null]);
    expect(await pings(address)).toBe(false);
    expect(readdirSync(scratch)).toEqual([]);
    await rm(scratch, { recursive: true });
  },
);
