import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { TopicProgram } from '../support/topic-program.ts';

function entry(mark: string): string {
  return JSON.stringify({
    message_id: mark,
    received_at_ms: 1,
    sender: 'agent://one',
    message_type: 'Contribute',
    raw_payload: [1, 2, 3],
    entry_kind: 'Incoming',
    session_id: 'ada',
    mode: 'ext.multi_round.v1',
    macp_version: '1.0',
    timestamp_unix_ms: 1,
  });
}

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

  async start(name: string, ...words: readonly string[]): Promise<RunningProgram> {
    const port = await freePort();
    const gateway = this.#program.start(['gateway', '--gateway-port', `${port}`, '--data-dir', name, ...words]);
    this.#ports.set(gateway, port);
    return gateway;
  }

  /**
   * What a gateway answers, asked over new connections until it does: on a busy machine it refuses, or cuts off,
   * what it cannot answer in time, and then a write may have been done.
   */
  async ask(gateway: RunningProgram, ...[command, ...words]: readonly [string, ...string[]]): Promise<unknown> {
    for (;;) {
      const client = this.client(gateway);
      try {
        return await client.call(command, ...words);
      } catch {
        await wait(20);
      } finally {
        client.disconnect();
      }
    }
  }

  /** A connection, which is not made again once it is lost. */
  client(gateway: RunningProgram): Redis {
    const port = this.#ports.get(gateway) ?? 0;
    const client = new Redis({ port, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    return client;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

function untilOpen(gateway: RunningProgram): Promise<void> {
  return gateway.until(({ log }) => log.some(({ msg, to }) => msg === 'gateway state' && to === 'open'));
}

test.each(['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const)(
  'a gateway that stands by takes over after %s to the active one, knows all that was acknowledged, and shuts it out',
  async (signal) => {
    await using gateways = await Gateways.begin();
    const active = await gateways.start('active', '--standby');
    await untilOpen(active);
    const standby = await gateways.start('standby', '--standby');
    await standby.untilLogged('standing by');
    await gateways.ask(active, 'SADD', 'macp:sessions', 'ada');
    const acknowledged: string[] = [];
    for (let number = 1; number <= 10; number += 1) {
      await gateways.ask(active, 'RPUSH', 'macp:log:ada', entry(`${number}`));
      acknowledged.push(`${number}`);
    }
    active.signal(signal);
    await untilOpen(standby);
    expect(await gateways.ask(standby, 'SMEMBERS', 'macp:sessions')).toEqual(['ada']);
    expect(await marks(gateways, standby)).toEqual(acknowledged);
    await gateways.ask(standby, 'RPUSH', 'macp:log:ada', entry('of the standby'));
    if (signal === 'SIGSTOP') {
      active.signal('SIGCONT');
      let isOver = false;
      const ended = active.ended.finally(() => {
        isOver = true;
      });
      while (!isOver) await expect(gateways.client(active).rpush('macp:log:ada', entry('late'))).rejects.toThrow();
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
