import { describe, expect, test } from 'vitest';
import { asAdmin } from '../support/kafka.ts';
import { startRedis } from '../support/redis.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { TopicProgram } from '../support/topic-program.ts';

/** The create command of a session, numbered, or for somebody else to number. */
function event(session: string, numbered = true): string {
  const attributes = { specversion: '1.0', id: `${session}/1/1`, source: '//test/1', type: 'macp.session.create.v1' };
  const numbers = numbered ? { macpsequence: 1, macpepoch: 1 } : {};
  return `${JSON.stringify({ ...attributes, subject: session, ...numbers })}\n`;
}

async function publish(program: TopicProgram, ...sessions: readonly string[]): Promise<void> {
  const input = sessions.map((session) => event(session)).join('');
  const { code, stderr } = await program.run(['publish', '-'], { input });
  expect(code, stderr).toBe(0);
}

/** Resolves once it works on all partitions. */
function alone(worker: RunningProgram, partitions = 2): Promise<void> {
  return worker.until((it) => it.partitions.length === partitions);
}

/** Resolves once it has committed so many deliveries. */
function committed(worker: RunningProgram, deliveries: number): Promise<void> {
  return worker.until(({ log }) => {
    const counts = log.filter(({ msg }) => msg === 'committed').map((line) => Number(line['deliveries']));
    return counts.reduce((sum, count) => sum + count, 0) >= deliveries;
  });
}

const debug = ['--log-level', 'debug'];

describe.concurrent('workers of one group', () => {
  test('that fill two stores which are not shared: the second ends, the first goes on', async () => {
    await using program = await TopicProgram.init(2);
    const first = program.start(['worker', '--data-dir', 'first', ...debug]);
    await alone(first);
    const second = await program.run(['worker', '--data-dir', 'second']);
    expect(second).toMatchObject({ code: 14, stdout: '' });
    expect(second.stderr).toMatch(
      /^macp-persist: GROUP_CONFLICT: the workers of group .* fill store .*, and this one fills store .*; give this worker the same store, or a group of its own$/m,
    );
    await publish(program, 'a', 'b', 'c');
    await committed(first, 3);
    expect(await first.stop()).toMatchObject({ code: 0 });
    // With nobody else in the group it may fill its own.
    const caughtUp = await program.run(['worker', '--data-dir', 'second', '--exit-when-caught-up']);
    expect(caughtUp).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied 3, duplicates 0') });
  });

  test('over one store that is not shared: another is refused, and a standby takes over', async () => {
    await using program = await TopicProgram.init(2);
    const first = program.start(['worker', ...debug]);
    await alone(first);
    expect(await program.run(['worker'])).toMatchObject({ code: 5, stderr: expect.stringContaining('STORE_LOCKED') });
    const standby = program.start(['worker', '--standby', ...debug]);
    await standby.untilLogged('standing by');
    await publish(program, 'a');
    await committed(first, 1);
    expect(await first.stop()).toMatchObject({ code: 0 });
    await alone(standby);
    await publish(program, 'b');
    await committed(standby, 1);
    expect(await standby.stop()).toMatchObject({ code: 0 });
    expect((await program.run(['sessions', 'list'])).stdout).toBe('a\nb\n');
  });
});

describe.concurrent('a worker that waits for another one that hangs', () => {
  test('ends at once when it is stopped', async () => {
    await using program = await TopicProgram.init(2);
    Object.assign(program.environment, {
      MACP_PERSIST_STORE: program.redis,
      MACP_PERSIST_KAFKA_SESSION_TIMEOUT: '10m',
      MACP_PERSIST_KAFKA_REBALANCE_TIMEOUT: '10m',
    });
    const hanging = program.start(['worker', ...debug]);
    await alone(hanging);
    hanging.signal('SIGSTOP');
    const waiting = program.start(['worker', ...debug]);
    await waiting.untilLogged('worker opened');
    // The group counts it in before it answers.
    await expect
      .poll(() => asAdmin(program.kafka, async (admin) => (await admin.describeGroups([program.topic])).groups))
      .toMatchObject([{ members: { length: 2 } }]);
    expect(await waiting.stop()).toMatchObject({ code: 0 });
  });
});

describe.concurrent('a worker whose Redis is away', () => {
  test('waits for it and goes on, losing and doubling nothing', async () => {
    await using redis = await startRedis();
    const store = { MACP_PERSIST_STORE: `${redis.address}/0` };
    await using program = await TopicProgram.init(2, { environment: store });
    const worker = program.start(['worker', ...debug]);
    await alone(worker);
    await publish(program, 'a', 'b');
    await committed(worker, 2);
    await redis.kill();
    await publish(program, 'c', 'd', 'e');
    await worker.untilLogged('the store is not ready; trying again');
    await redis.restart();
    await committed(worker, 5);
    await worker.untilLogged('the store is ready again');
    const ending = await worker.stop();
    expect(ending.code).toBe(0);
    expect((await program.run(['sessions', 'list'])).stdout).toBe('a\nb\nc\nd\ne\n');
    const [status] = await program.json<object>(['status']);
    expect(status).toMatchObject({ queue: { lag: 0 }, totals: { sessions: 5, dead_letters: { conflict: 0 } } });
  });

  test('ends at once where it was not there from the start, to be started again', async () => {
    await using program = await TopicProgram.init(1);
    const { code, stderr } = await program.run(['worker', '--store', 'redis://127.0.0.1:1/0']);
    expect([code, stderr]).toEqual([
      6,
      expect.stringMatching(/^macp-persist: STORE_UNAVAILABLE: Redis at 127\.0\.0\.1:1/m),
    ]);
  });
});

describe.concurrent('publishing beside workers', () => {
  test('publish --as claims and numbers once the workers have caught up', async () => {
    await using program = await TopicProgram.init(2);
    Object.assign(program.environment, { MACP_PERSIST_STORE: program.redis });
    await publish(program, 'known');
    const worker = program.start(['worker']);
    await alone(worker);
    const input = [event('known', false), event('new', false), event('known', false)].join('');
    const as = await program.run(['publish', '-', '--as', '//import/1'], { input });
    expect(as).toMatchObject({ code: 0, stdout: 'Published 3 commands of 2 sessions.\n' });
    expect(await worker.stop()).toMatchObject({ code: 0 });
    expect(await program.run(['worker', '--exit-when-caught-up'])).toMatchObject({ code: 0 });
    const [known] = await program.json<object>(['sessions', 'show', 'known']);
    expect(known).toMatchObject({ writer: '//import/1', epoch: 2, last_sequence: 3, blocked: null, dead_letters: {} });
    const again = await program.run(['publish', '-', '--as', '//import/1'], { input });
    expect([again.code, again.stderr]).toEqual([3, expect.stringContaining('INVALID_WRITER: //import/1 has written')]);
  });

  test('a service on Kafka takes commands over HTTP and shows them once they are applied', async () => {
    await using program = await TopicProgram.init(2);
    const service = program.start(['start', '--store', program.redis]);
    const url = await service.url();
    const post = (body: string, query: string) =>
      fetch(`${url}/v1/commands${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents+json' },
        body,
      });
    const applied = await post(event('over-http', false), '?wait=applied');
    expect([applied.status, await applied.json()]).toMatchObject([
      200,
      {
        results: [
          { session_id: 'over-http', sequence: 1, outcome: 'applied', position: { offset: expect.any(Number) } },
        ],
      },
    ]);
    const numbered = await post(event('numbered'), '');
    expect([numbered.status, await numbered.json()]).toMatchObject([202, { results: [{ outcome: 'durable' }] }]);
    const cursor = await fetch(`${url}/v1/sessions/numbered/cursor?min_sequence=1`);
    expect(await cursor.json()).toMatchObject({ writer: '//test/1', last_sequence: 1 });
    expect(await service.stop()).toMatchObject({ code: 0 });
  });
});
