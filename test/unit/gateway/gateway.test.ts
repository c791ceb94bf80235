import { describe, expect, test, vi } from 'vitest';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { claim, entryText, snapshotText } from '../../support/commands.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { GatewaySystem } from '../../support/gateway-system.ts';
import { turns } from '../../support/turns.ts';

const integer = (value: number): string => `(integer) ${value}`;
const snapshot = (mark: string, session: string): string => snapshotText(mark, session);

describe('a session as macp-runtime writes it', () => {
  test('is created, written and read back', async () => {
    await using system = new GatewaySystem().work();
    const client = system.client();
    expect(await client.send('SMEMBERS', 'macp:sessions')).toEqual([]);
    expect(await client.send('SADD', 'macp:sessions', 'one')).toBe(integer(1));
    expect(await client.send('RPUSH', 'macp:log:one', entryText('m1'))).toBe(integer(1));
    expect(await client.send('SET', 'macp:session:one', snapshot('s1', 'one'))).toBe('OK');
    expect(await client.send('RPUSH', 'macp:log:one', entryText('m2'))).toBe(integer(2));
    expect(await client.send('GET', 'macp:session:one')).toBe(snapshot('s1', 'one'));
    expect(await client.send('LRANGE', 'macp:log:one', '0', '-1')).toEqual([entryText('m1'), entryText('m2')]);
    expect(await client.send('SMEMBERS', 'macp:sessions')).toEqual(['one']);
    expect(await client.send('SADD', 'macp:sessions', 'one')).toBe(integer(0));
  });

  test('is told of what is written until the client has given up, and of what is read whenever it comes', async () => {
    await using system = new GatewaySystem().work();
    const conversation = system.gateway.converse({ address: 'test', cut: () => undefined });
    const ask = (arrived: number, command: string, ...words: readonly string[]) =>
      conversation.request({ command, arguments: words.map((word) => Buffer.from(word)), arrived });
    await ask(systemClock.elapsed(), 'SMEMBERS', 'macp:sessions');
    const arrived = systemClock.elapsed();
    expect(await ask(arrived, 'SADD', 'macp:sessions', 'one')).toEqual({
      kind: 'integer',
      value: 1,
      until: arrived + 400,
    });
    expect(await ask(systemClock.elapsed(), 'GET', 'macp:session:one')).toEqual({ kind: 'null' });
    expect(await ask(systemClock.elapsed(), 'DEL', 'macp:none')).not.toHaveProperty('until');
    conversation.closed();
  });

  test('is written to before any worker has come to it, however long that takes', async () => {
    // Once a second, here at once, is looked whether somebody else has claimed the session.
    const clock: Clock = {
      now: () => systemClock.now(),
      elapsed: () => systemClock.elapsed(),
      sleep: (milliseconds, signal) => systemClock.sleep(milliseconds === 1_000 ? 1 : milliseconds, signal),
    };
    await using system = new GatewaySystem({ clock }).run();
    const client = system.client();
    for (let count = 1; count <= 20; count += 1) {
      expect(await client.send('RPUSH', 'macp:log:one', entryText(`m${count}`))).toBe(integer(count));
      await systemClock.sleep(2);
    }
  });

  test('has its log replaced by MULTI, DEL, RPUSH, EXEC, also by nothing', async () => {
    await using system = new GatewaySystem().work();
    const client = system.client();
    for (const mark of ['m1', 'm2', 'm3']) await client.send('RPUSH', 'macp:log:one', entryText(mark));
    const log = 'macp:log:one';
    expect(await client.transaction(['DEL', log], ['RPUSH', log, entryText('c')])).toEqual([integer(1), integer(1)]);
    expect(await client.send('RPUSH', log, entryText('m4'))).toBe(integer(2));
    expect(await client.send('LRANGE', log, '0', '-1')).toEqual([entryText('c'), entryText('m4')]);
    expect(await client.transaction(['DEL', log])).toEqual([integer(1)]);
    expect(await client.send('LRANGE', log, '0', '-1')).toEqual([]);
    expect(await client.transaction(['DEL', log])).toEqual([integer(0)]);
    expect(await client.send('EXISTS', log, 'macp:session:one', 'macp:sessions')).toBe(integer(1));
  });

  test('is deleted by DELs and SREM in one pipeline, and counts on after that', async () => {
    await using system = new GatewaySystem().work();
    const client = system.client();
    await client.send('RPUSH', 'macp:log:one', entryText('m1'));
    await client.send('SET', 'macp:session:one', snapshot('s1', 'one'));
    await client.send('SETNX', 'macp:receipt:one', 'a receipt');
    const keys = ['session', 'log', 'receipt', 'anchor'].map((kind) => `macp:${kind}:one`);
    const replies = [...keys.map((key) => client.send('DEL', key)), client.send('SREM', 'macp:sessions', 'one')];
    expect(await Promise.all(replies)).toEqual([1, 1, 1, 0, 1].map(integer));
    expect(await client.send('SMEMBERS', 'macp:sessions')).toEqual([]);
    expect(await client.send('GET', 'macp:receipt:one')).toBe('(nil)');
    const again = [...keys.map((key) => client.send('DEL', key)), client.send('SREM', 'macp:sessions', 'one')];
    expect(await Promise.all(again)).toEqual([0, 0, 0, 0, 0].map(integer));
    expect(await client.send('RPUSH', 'macp:log:one', entryText('m2'))).toBe(integer(1));
  });

  test('has one receipt, the first, and the latest anchor', async () => {
    await using system = new GatewaySystem().work();
    const client = system.client();
    await client.send('SADD', 'macp:sessions', 'one');
    expect(await client.send('SETNX', 'macp:receipt:one', 'first')).toBe(integer(1));
    expect(await client.send('SETNX', 'macp:receipt:one', 'second')).toBe(integer(0));
    expect(await client.send('SET', 'macp:receipt:one', 'third', 'NX')).toBe('(nil)');
    expect(await client.send('GET', 'macp:receipt:one')).toBe('first');
    expect(await client.send('SETEX', 'macp:anchor:one', '90', 'a')).toBe('OK');
    expect(await client.send('SET', 'macp:anchor:one', 'b', 'EX', '90')).toBe('OK');
    expect(await client.send('GET', 'macp:anchor:one')).toBe('b');
    expect(await client.send('SET', 'macp:anchor:two', 'b')).toMatch(/^ERR .*"two" does not exist/);
  });
});

describe('sessions that were not written to of late are forgotten', () => {
  const many = Array.from({ length: 20 }, (_, index) => `many-${index}` as SessionId);

  test('and go on where they were when they are written to again', async () => {
    await using system = new GatewaySystem({ rememberedSessions: 2 }).work();
    const client = system.client();
    for (const round of [1, 2, 3]) {
      for (const session of many) {
        expect(await client.send('RPUSH', `macp:log:${session}`, entryText(`m${round}`))).toBe(integer(round));
      }
    }
    await system.system.caughtUp();
    const cursors = await system.system.store.readCursors(many);
    // Nobody had to claim anything.
    expect(new Set(cursors.map((cursor) => `${cursor?.epoch} ${cursor?.last} ${cursor?.entries}`))).toEqual(
      new Set(['1 3 3']),
    );
    expect(await system.system.filed()).toEqual([]);
  });

  test('but not where somebody else wrote to them meanwhile: what the runtime knows of those is out of date', async () => {
    await using system = new GatewaySystem({ rememberedSessions: 2 }).work();
    const client = system.client();
    await client.send('RPUSH', 'macp:log:one', entryText('m1'));
    for (const session of many) await client.send('SADD', 'macp:sessions', session);
    await system.system.caughtUp();
    await turns(200);
    await system.system.queue.publish([claim(2, '//test/other', 'one')]);
    await system.system.caughtUp();
    const refused = await client.send('RPUSH', 'macp:log:one', entryText('m2'));
    expect(refused).toMatch(/^ERR .*"one" was claimed by \/\/test\/other/);
    expect(await system.system.marks('one')).toEqual(['m1']);
    expect(await system.system.filed()).toEqual([]);
  });
});

describe('one connection writes at a time', () => {
  test('a newer one that lists shuts the older one out, and goes on from what it wrote', async () => {
    await using system = new GatewaySystem().work();
    const older = system.client();
    await older.send('RPUSH', 'macp:log:one', entryText('m1'));
    const newer = system.client();
    expect(await newer.send('GET', 'macp:session:one')).toBe('(nil)');
    expect(older.cutBecause).toBeUndefined();
    expect(await newer.send('SMEMBERS', 'macp:sessions')).toEqual(['one']);
    expect(older.cutBecause).toBe('a newer connection writes');
    expect(await older.send('RPUSH', 'macp:log:one', entryText('late'))).toBe('(cut)');
    expect(await newer.send('RPUSH', 'macp:log:one', entryText('m2'))).toBe(integer(2));
    expect(await newer.send('LRANGE', 'macp:log:one', '0', '-1')).toEqual([entryText('m1'), entryText('m2')]);
    expect(await system.system.filed()).toEqual([]);
  });
});

describe('two gateways of one prefix', () => {
  test('the older one is shut out, also where it is idle: it answers no runtime that starts at it, and ends', async () => {
    await using newer = new GatewaySystem();
    await using older = new GatewaySystem({ system: newer.system.work() }).run();
    expect(await older.client().send('SMEMBERS', 'macp:sessions')).toEqual([]);
    newer.run();
    const writing = newer.client();
    expect(await writing.send('RPUSH', 'macp:log:one', entryText('m1'))).toBe(integer(1));
    const returning = older.client();
    expect(await returning.send('SMEMBERS', 'macp:sessions')).toBe('(cut)');
    expect(await older.ended()).toMatchObject({ code: 'WRITER_FENCED' });
    expect(await older.client().send('GET', 'macp:session:one')).toMatch(/^ERR .*ended/);
    expect(await writing.send('RPUSH', 'macp:log:one', entryText('m2'))).toBe(integer(2));
  });
});

describe('what is not certain is not answered, and what cannot be done is refused', () => {
  test('a DEL that comes alone, as runtimes before 0.13.0 replace a log, is an error and changes nothing', async () => {
    await using system = new GatewaySystem().work();
    const client = system.client();
    await client.send('RPUSH', 'macp:log:one', entryText('m1'));
    const alone = client.send('DEL', 'macp:log:one');
    // The next request shows that nothing more belongs to it.
    expect(await client.send('RPUSH', 'macp:log:one', entryText('m2'))).toBe(integer(2));
    expect(await alone).toMatch(/^ERR a DEL that no SREM .* from 0\.13\.0 on; nothing was changed$/);
    expect(await client.send('DEL', 'macp:log:one')).toMatch(/^ERR a DEL that no SREM/);
    const keys = ['session', 'receipt'].map((kind) => client.send('DEL', `macp:${kind}:one`));
    expect(await client.send('SREM', 'macp:sessions', 'one')).toMatch(/^ERR SREM of a session whose DELs/);
    for (const told of await Promise.all(keys)) expect(told).toMatch(/^ERR /);
    expect(await client.send('LRANGE', 'macp:log:one', '0', '-1')).toEqual([entryText('m1'), entryText('m2')]);
  });

  test('what a worker would refuse is refused before it is published, and costs no number', async () => {
    await using system = new GatewaySystem().work();
    const client = system.client();
    expect(await client.send('RPUSH', 'macp:log:one', '{"message_id":"m1"}')).toMatch(/^ERR INVALID_DATA: /);
    expect(await client.send('SET', 'macp:session:one', snapshot('s', 'two'))).toMatch(/^ERR INVALID_DATA: /);
    const two = `${entryText('m1')},${entryText('m2')}`;
    const log = 'macp:log:one';
    expect(await client.transaction(['DEL', log], ['RPUSH', log, two])).toMatch(/^ERR INVALID_DATA: /);
    expect(await client.send('RPUSH', log, entryText('m1'))).toBe(integer(1));
    expect(await system.system.filed()).toEqual([]);
  });

  test('documents come back as they were sent, but for white space between tokens', async () => {
    await using system = new GatewaySystem().work();
    const client = system.client();
    const spaced = JSON.stringify(JSON.parse(entryText('m 1')), undefined, '\t');
    expect(await client.send('RPUSH', 'macp:log:one', spaced)).toBe(integer(1));
    expect(await client.send('LRANGE', 'macp:log:one', '-1', '0')).toEqual([entryText('m 1')]);
  });

  test('whoever claims a session elsewhere is not written over: its runtime is refused there, and only there', async () => {
    const worked = new GatewaySystem();
    await using system = worked.work();
    const client = system.client();
    await client.send('RPUSH', 'macp:log:one', entryText('m1'));
    await system.system.queue.publish([claim(2, '//test/rival', 'one')]);
    await system.system.caughtUp();
    const told: unknown[] = [];
    while (!String(told.at(-1)).startsWith('ERR')) {
      told.push(await client.send('RPUSH', 'macp:log:one', entryText('m')));
      // Queue and store lie in memory: nothing else would ever have a turn.
      await turns(1);
    }
    expect(told.at(-1)).toMatch(/^ERR WRITER_FENCED: nothing was written: session "one" was claimed by/);
    expect(await client.send('RPUSH', 'macp:log:two', entryText('m1'))).toBe(integer(1));
    const next = system.client();
    expect(await next.send('RPUSH', 'macp:log:one', entryText('m2'))).toBe(integer(2));
  });

  test('a deletion that comes in time and finds the gateway not ready is told so, not that a part of it is missing', async () => {
    const clock = new FakeClock();
    await using system = new GatewaySystem({ clock });
    const client = system.client();
    const parts = [
      ['DEL', 'macp:session:one'],
      ['DEL', 'macp:log:one'],
      ['SREM', 'macp:sessions', 'one'],
    ];
    const told = Promise.all(parts.map((part) => client.send(...part)));
    await clock.advance(400);
    for (const one of await told) expect(one).toMatch(/^ERR there was no answer in time: nothing was written/);
  });
});

test('what a runtime lists and reads when it starts does not wait for the claims of its sessions', async () => {
  await using system = new GatewaySystem().work();
  const { store } = system.system;
  const former = system.client();
  for (const session of ['one', 'two']) await former.send('RPUSH', `macp:log:${session}`, entryText('m1'));
  await system.system.caughtUp();
  const commit = store.commit.bind(store);
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const commits = vi.spyOn(store, 'commit').mockImplementation(async (plan) => {
    await held;
    await commit(plan);
  });
  const runtime = system.client();
  try {
    expect(await runtime.send('SMEMBERS', 'macp:sessions')).toEqual(['one', 'two']);
    expect(await runtime.send('LRANGE', 'macp:log:one', '0', '-1')).toEqual([entryText('m1')]);
    while (commits.mock.calls.length === 0) await systemClock.sleep(1);
    expect(await runtime.send('LRANGE', 'macp:log:two', '0', '-1')).toEqual([entryText('m1')]);
  } catch (error) {
    goOn();
    throw error;
  }
  const written = runtime.send('RPUSH', 'macp:log:two', entryText('m2'));
  const read = runtime.send('LRANGE', 'macp:log:two', '0', '-1');
  goOn();
  expect(await written).toBe(integer(2));
  expect(await read).toEqual([entryText('m1'), entryText('m2')]);
});
