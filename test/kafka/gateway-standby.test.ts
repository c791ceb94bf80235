import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { entryText } from '../support/commands.ts';
import { freePort } from '../support/free-port.ts';
import { askGateway, connectGateway, untilGatewayOpen } from '../support/gateway-client.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { TopicProgram } from '../support/topic-program.ts';

/** Gateways of one prefix, each at a port of its own, beside a worker. */
class Gateways implements AsyncDisposable {
  readonly #program: TopicProgram;
  readonly #ports = new Map<RunningProgram, number>();

  private constructor(program: TopicProgram) {
    this.#program = program;
  }

  static async begin(): Promise<Gateways> {
    const program = await TopicProgram.init(2);
    Object.assign(program.environment, { MACP_PERSIST_STORE: program.redis, MACP_PERSIST_GATEWAY_LEASE_TIME: '1s' });
    const worker = program.start(['worker', '--data-dir', 'worker']);
    await worker.until(({ partitions }) => partitions.length === 2);
    return new Gateways(program);
  }

  /** Takes the turn for a name that is no gateway's. */
  async takeTurn(holder: string): Promise<void> {
    const redis = new URL(this.#program.redis);
    const client = new Redis({ host: redis.hostname, port: Number(redis.port) });
    await client.set(`${redis.searchParams.get('prefix')}:worker:lease:gateway:macp`, holder);
    client.disconnect();
  }

  async start(name: string, ...words: readonly string[]): Promise<RunningProgram> {
    const port = await freePort();
    const gateway = this.#program.start(['gateway', '--gateway-port', `${port}`, '--data-dir', name, ...words]);
    this.#ports.set(gateway, port);
    return gateway;
  }

  /** See `askGateway`. */
  ask(gateway: RunningProgram, ...[command, ...words]: readonly [string, ...string[]]): Promise<unknown> {
    return askGateway(this.#portOf(gateway), command, ...words);
  }

  client(gateway: RunningProgram): Redis {
    return connectGateway(this.#portOf(gateway));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }

  #portOf(gateway: RunningProgram): number {
    return this.#ports.get(gateway) ?? 0;
  }
}

test.each(['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const)(
  'a gateway that stands by takes over after %s to the active one, knows all that was acknowledged, and shuts it out',
  async (signal) => {
    await using gateways = await Gateways.begin();
    const active = await gateways.start('active', '--standby');
    await untilGatewayOpen(active);
    const standby = await gateways.start('standby', '--standby');
    await standby.untilLogged('standing by');
    await gateways.ask(active, 'SADD', 'macp:sessions', 'ada');
    const acknowledged: string[] = [];
    for (let number = 1; number <= 10; number += 1) {
      await gateways.ask(active, 'RPUSH', 'macp:log:ada', entryText(`${number}`));
      acknowledged.push(`${number}`);
    }
    active.signal(signal);
    await untilGatewayOpen(standby);
    expect(await gateways.ask(standby, 'SMEMBERS', 'macp:sessions')).toEqual(['ada']);
    expect(await marks(gateways, standby)).toEqual(acknowledged);
    await gateways.ask(standby, 'RPUSH', 'macp:log:ada', entryText('of the standby'));
    if (signal === 'SIGSTOP') {
      active.signal('SIGCONT');
      let isOver = false;
      const ended = active.ended.finally(() => {
        isOver = true;
      });
      while (!isOver) await expect(gateways.client(active).rpush('macp:log:ada', entryText('late'))).rejects.toThrow();
      expect((await ended).code).toBe(9);
    }
    expect(await marks(gateways, standby)).toEqual([...acknowledged, 'of the standby']);
  },
);

/** The marks of the log's entries, each once: what was cut off was written again. */
async function marks(gateways: Gateways, gateway: RunningProgram): Promise<readonly string[]> {
  const entries = (await gateways.ask(gateway, 'LRANGE', 'macp:log:ada', '0', '-1')) as readonly string[];
  return [...new Set(entries.map((text) => (JSON.parse(text) as { message_id: string }).message_id))];
}

test('a gateway whose turn was taken says so, and writes on until the next one shuts it out', async () => {
  await using gateways = await Gateways.begin();
  const older = await gateways.start('older', '--standby');
  await untilGatewayOpen(older);
  await gateways.ask(older, 'SADD', 'macp:sessions', 'ada');
  await gateways.takeTurn('somebody who does not work');
  await older.untilLogged('another gateway has taken the turn of this one');
  await gateways.ask(older, 'RPUSH', 'macp:log:ada', entryText('without a turn'));
  expect(await marks(gateways, older)).toEqual(['without a turn']);
  const newer = await gateways.start('newer');
  await untilGatewayOpen(newer);
  await expect(gateways.client(older).rpush('macp:log:ada', entryText('late'))).rejects.toThrow();
  expect(await marks(gateways, newer)).toEqual(['without a turn']);
});
