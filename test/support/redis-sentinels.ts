import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../scripts/services/ports.mjs';
import { startServer } from '../../scripts/services/server.mjs';
import type { RedisSentinels } from '../../src/redis/options.ts';
import { type OwnRedis, startRedis } from './redis.ts';
import { rawClient } from './redis-contents.ts';

/** A master and its replica, and three Sentinels that make the replica the master when that is gone for a second. */
export interface SentinelledRedis extends AsyncDisposable {
  /** Names one of the Sentinels only. */
  readonly address: RedisSentinels;
  readonly master: OwnRedis;
  readonly replica: OwnRedis;
  /** What the master is told from now on the replica does not hear, which hangs until it is resumed. */
  cutReplicaOff(): Promise<void>;
  /** Kills the master once the replica has all that it acknowledged; what it is asked for after that it never hears of. */
  killMasterInStep(): Promise<void>;
}

const name = 'commands';
const quorum = 2;

export async function startSentinels(): Promise<SentinelledRedis> {
  const master = await startRedis();
  const replica = await startRedis({ replicaof: `127.0.0.1 ${master.port}` });
  const directory = mkdtempSync(join(tmpdir(), 'macp-persist-sentinels-'));
  const ports = await freePorts(quorum + 1);
  const sentinels = await Promise.all(ports.map((port) => startSentinel(directory, port, master.port)));
  const [port = 0] = ports;
  await until(async () => /slaves=1,sentinels=3/.test(await ask(port, (client) => client.info('sentinel'))));
  await until(async () =>
    /master_link_status:up/.test(await ask(replica.port, (client) => client.info('replication'))),
  );
  return {
    address: { sentinels: [{ host: '127.0.0.1', port }], master: name, database: 0 },
    master,
    replica,
    async cutReplicaOff() {
      replica.pause();
      // What was sent already would be read from the connection later.
      await ask(master.port, (client) => client.call('CLIENT', 'KILL', 'TYPE', 'replica'));
    },
    async killMasterInStep() {
      await ask(master.port, async (client) => {
        await client.call('CLIENT', 'PAUSE', '60000', 'WRITE');
        await until(async () => (await client.call('WAIT', '1', '100')) === 1);
      });
      await master.kill();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sentinels.map((sentinel) => sentinel.kill()));
      await Promise.all([master, replica].map((server) => server[Symbol.asyncDispose]()));
      rmSync(directory, { recursive: true });
    },
  };
}

/** Its configuration is a file of its own, into which it writes. */
async function startSentinel(directory: string, port: number, master: number) {
  const file = join(directory, `${port}.conf`);
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${master} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return await startServer({
    name: 'Sentinel',
    program: 'redis-server',
    parameters: [file, '--sentinel'],
    ready: /\+monitor master/,
  });
}

async function ask<Answer>(port: number, question: (client: ReturnType<typeof rawClient>) => Promise<Answer>) {
  const client = rawClient(port);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}
