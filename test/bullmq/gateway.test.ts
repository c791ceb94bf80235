import { expect, test } from 'vitest';
import { BullmqProgram } from '../support/bullmq-program.ts';
import { entryText, snapshotText } from '../support/commands.ts';
import { freePort } from '../support/free-port.ts';
import { askGateway, untilGatewayOpen } from '../support/gateway-client.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { RawClient } from '../support/redis-server/raw-client.ts';
import type { RunningProgram } from '../support/running-program.ts';

const redis = useOneRedis();

/** A gateway and a worker, processes of their own, which share a store in the Redis that holds the queue. */
class Apart implements AsyncDisposable {
  readonly port: number;
  readonly #program: BullmqProgram;
  gateway: RunningProgram;
  worker: RunningProgram;

  private constructor(program: BullmqProgram, port: number) {
    this.#program = program;
    this.port = port;
    this.worker = this.startWorker();
    this.gateway = this.startGateway();
  }

  static async begin(): Promise<Apart> {
    const apart = new Apart(new BullmqProgram(redis.server.address), await freePort());
    await untilGatewayOpen(apart.gateway);
    return apart;
  }

  startWorker(): RunningProgram {
    this.worker = this.#program.start(['worker', '--store', this.#program.redis]);
    return this.worker;
  }

  startGateway(): RunningProgram {
    const words = ['gateway', '--gateway-port', `${this.port}`, '--store', this.#program.redis];
    this.gateway = this.#program.start(words);
    return this.gateway;
  }

  ask(command: string, ...words: readonly string[]): Promise<unknown> {
    return askGateway(this.port, command, ...words);
  }

  /** What is answered to one write of a connection of its own, and after how many milliseconds: nothing where it is ended. */
  async tryOnce(...words: readonly string[]): Promise<{ readonly told: string; readonly after: number }> {
    using client = await RawClient.connect(this.port);
    const begun = performance.now();
    await client.send(...words);
    const told = await client.answer().catch(() => '');
    return { told, after: performance.now() - begun };
  }

  /** The marks of a log, as they lie in the store at this moment. */
  async stored(session: string): Promise<readonly string[]> {
    const prefix = new URL(this.#program.redis).searchParams.get('prefix');
    return (await redis.client.lrange(`${prefix}:log:${session}`, 0, -1)).map(markOf);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

function markOf(entry: string): string {
  return JSON.parse(entry).message_id;
}

test('a write is acknowledged once it lies in the store, and not before', async () => {
  await using apart = await Apart.begin();
  await apart.ask('SADD', 'macp:sessions', 'ada');
  for (let number = 1; number <= 50; number += 1) {
    await apart.ask('RPUSH', 'macp:log:ada', entryText(`${number}`));
    expect(await apart.stored('ada')).toContain(`${number}`);
  }
});

test('without a worker a write gets no answer, or one that is certain, 400 ms after it came', async () => {
  await using apart = await Apart.begin();
  await apart.ask('RPUSH', 'macp:log:known', entryText('before'));
  await apart.worker.stop('SIGKILL');
  const tried: (readonly [session: string, told: string])[] = [];
  // Of a session that nobody has claimed yet, and then, on newer connections, before what came earlier is applied.
  for (const session of ['known', 'new', 'known']) {
    const { told, after } = await apart.tryOnce('RPUSH', `macp:log:${session}`, entryText('without a worker'));
    expect(after).toBeLessThan(500);
    expect(told).toMatch(/^$|^-ERR .*nothing was written/);
    tried.push([session, told]);
  }
  apart.startWorker();
  await apart.ask('RPUSH', 'macp:log:known', entryText('after'));
  await apart.ask('RPUSH', 'macp:log:new', entryText('after'));
  for (const session of ['known', 'new']) {
    const open = tried.filter(([one, told]) => one === session && told === '').length;
    const found = (await apart.stored(session)).filter((mark) => mark === 'without a worker').length;
    expect(found).toBeLessThanOrEqual(open);
  }
});

test('a gateway that was killed is followed by one that reads all that was acknowledged', async () => {
  await using apart = await Apart.begin();
  await apart.ask('SADD', 'macp:sessions', 'ada');
  const acknowledged: string[] = [];
  for (let number = 1; number <= 20; number += 1) {
    await apart.ask('RPUSH', 'macp:log:ada', entryText(`${number}`));
    acknowledged.push(`${number}`);
  }
  await apart.ask('SET', 'macp:session:ada', snapshotText('s1', 'ada'));
  await apart.ask('SETNX', 'macp:receipt:ada', 'a receipt');
  await apart.ask('SET', 'macp:anchor:ada', 'an anchor', 'EX', '90000');
  await apart.gateway.stop('SIGKILL');
  await untilGatewayOpen(apart.startGateway());
  expect(await apart.ask('SMEMBERS', 'macp:sessions')).toEqual(['ada']);
  const log = (await apart.ask('LRANGE', 'macp:log:ada', '0', '-1')) as readonly string[];
  // What was cut off was written again.
  expect([...new Set(log.map(markOf))]).toEqual(acknowledged);
  expect(await apart.ask('GET', 'macp:session:ada')).toBe(snapshotText('s1', 'ada'));
  expect(await apart.ask('GET', 'macp:receipt:ada')).toBe('a receipt');
  expect(await apart.ask('GET', 'macp:anchor:ada')).toBe('an anchor');
  await apart.ask('RPUSH', 'macp:log:ada', entryText('21'));
  expect(await apart.stored('ada')).toContain('21');
});
