import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../src/domain/command.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { claim, numbered } from '../support/commands.ts';
import { startPersisting } from '../support/persisting.ts';
import { deleteKeys, redisAddress, uniquePrefix } from '../support/redis.ts';
import { openAt } from '../support/redis-harness.ts';
import { check, countOf, type Verdict } from './checker/check.ts';
import type { TopicRecord, Wrong } from './checker/model.ts';
import { openLevel, readLevel } from './checker/read-level.ts';
import { readRedis } from './checker/read-redis.ts';
import { commandOf, type Story, sessionOf } from './workload/story.ts';

const story: Story = { seed: 3, sessions: 12, commands: 50 };
/** Its log was replaced: the level store has another generation of it. */
const victim = sessionOf(story, 1);
const fenced = sessionOf(story, 2);

function* workload(): Generator<Command> {
  for (let sequence = 1; sequence <= story.commands; sequence += 1) {
    for (let index = 0; index < story.sessions; index += 1) {
      const { session, type, data } = commandOf(story, index, sequence);
      yield numbered(type, sequence, data, { session, epoch: 1, writer: '//chaos/one' });
    }
  }
  yield claim(2, '//chaos/two', fenced);
  const { type, data } = commandOf(story, 2, 2);
  yield numbered(type, story.commands + 1, data, { session: fenced, epoch: 1, writer: '//chaos/one' });
}

const commands = [...workload()];

/** The commands as they would be read from a topic. */
const records = commands.map((command, offset): TopicRecord => {
  if (command.kind === 'skip') return expect.unreachable();
  const { session, type, writer, epoch } = command;
  const isNumbered = command.kind === 'numbered';
  const data = isNumbered ? Buffer.from(command.data).toString('utf8') : '';
  const sequence = isNumbered ? command.sequence : undefined;
  return { partition: 0, offset, session, type, writer, epoch, sequence, data };
});

async function fill(store: Store): Promise<void> {
  await using persisting = startPersisting(store);
  persisting.add(...commands);
  await persisting.persisted();
}

const verdictOf = (stored: Awaited<ReturnType<typeof readRedis>>): Verdict =>
  check({ records, stored, acknowledged: [] });

function expectCaught(verdict: Verdict, wrong: Wrong): void {
  expect(countOf(verdict, wrong)).toBeGreaterThan(0);
}

describe('a real store in Redis', () => {
  const prefix = uniquePrefix();
  const log = `${prefix}:log:${victim}`;
  let redis: Redis;

  beforeAll(async () => {
    redis = new Redis(redisAddress());
    const { hostname, port } = new URL(redisAddress());
    await using store = await openAt({ host: hostname, port: Number(port), database: 0 }, prefix);
    await fill(store);
  });
  afterAll(async () => {
    redis.disconnect();
    await deleteKeys(redisAddress(), prefix);
  });

  test('is what the checker expects', async () => {
    const verdict = verdictOf(await readRedis(redisAddress(), prefix));
    expect(verdict).toMatchObject({ complaints: [], sessions: 12, commands: 600, claims: 1, deadLetters: 1 });
  });

  const mutants: readonly (readonly [what: string, wrong: Wrong, mutate: () => Promise<unknown>])[] = [
    ['an entry is missing', 'lost', () => redis.lpop(log)],
    ['an entry stands twice', 'doubled', async () => redis.rpush(log, (await redis.lindex(log, 0)) ?? '')],
    ['an entry stands elsewhere', 'reordered', async () => redis.rpush(log, (await redis.lpop(log)) ?? '')],
    ['an entry has another byte', 'foreign', async () => redis.lset(log, 0, `${await redis.lindex(log, 0)} `)],
    ['a snapshot is an older one', 'snapshot', () => redis.set(`${prefix}:session:${victim}`, '{}')],
    ['a snapshot is missing', 'snapshot', () => redis.del(`${prefix}:session:${victim}`)],
    ['a log is missing', 'lost', () => redis.del(log)],
    ['a session is not listed', 'session', () => redis.srem(`${prefix}:sessions`, victim)],
    ['a foreign session is listed', 'session', () => redis.sadd(`${prefix}:sessions`, 'foreign')],
    ['a foreign log lies there', 'session', () => redis.rpush(`${prefix}:log:foreign`, '{}')],
    ['a dead letter is missing', 'dead letter', () => redis.del(`${prefix}:worker:filed`)],
    ['a dead letter is too many', 'dead letter', () => redis.hset(`${prefix}:worker:filed`, `${victim}\0a`, 'x')],
    ['a command waits', 'parked', () => redis.hset(`${prefix}:worker:parked-headers:${victim}`, '9', 'x')],
  ];

  test.each(mutants)('is complained about when %s', async (_, wrong, mutate) => {
    const keys = await redis.keys(`${prefix}:*`);
    const before = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
    await mutate();
    const verdict = verdictOf(await readRedis(redisAddress(), prefix));
    await deleteKeys(redisAddress(), prefix);
    await Promise.all(keys.map((key, index) => redis.restore(key, 0, before[index] ?? '')));
    expectCaught(verdict, wrong);
    expect(verdictOf(await readRedis(redisAddress(), prefix)).complaints).toEqual([]);
  });
});

describe('a real level store', () => {
  const parent = mkdtempSync(join(tmpdir(), 'macp-persist-chaos-'));
  const directory = join(parent, 'level');

  beforeAll(async () => {
    const options = { directory, files: nodeFileSystem, clock: systemClock, newId: () => 'chaos' };
    await using store = await openLevelStore(options);
    await fill(store);
  });
  afterAll(() => rmSync(parent, { recursive: true }));

  test('is what the checker expects', async () => {
    const verdict = verdictOf(await readLevel(directory));
    expect(verdict).toMatchObject({ complaints: [], sessions: 12, commands: 600, claims: 1, deadLetters: 1 });
  });

  type Entries = readonly (readonly [key: Buffer, value: Buffer])[];
  const put = (key: Buffer | string, value: Buffer | string): Change => ({ type: 'put', key, value });
  const remove = (key: Buffer | string): Change => ({ type: 'del', key });
  interface Change {
    readonly type: 'put' | 'del';
    readonly key: Buffer | string;
    readonly value?: Buffer | string;
  }

  const mutants: readonly (readonly [what: string, wrong: Wrong, mutate: (log: Entries) => readonly Change[]])[] = [
    ['an entry is missing', 'lost', ([first]) => [remove(first?.[0] ?? '')]],
    ['an entry stands twice', 'doubled', (log) => [put(after(log), log[0]?.[1] ?? '')]],
    [
      'two entries are swapped',
      'reordered',
      ([a, b]) => [put(a?.[0] ?? '', b?.[1] ?? ''), put(b?.[0] ?? '', a?.[1] ?? '')],
    ],
    ['an entry has another byte', 'foreign', ([first]) => [put(first?.[0] ?? '', `${first?.[1]} `)]],
    ['a snapshot is an older one', 'snapshot', () => [put(`s${victim}`, '{}')]],
    ['a snapshot is missing', 'snapshot', () => [remove(`s${victim}`)]],
    ['a log is missing', 'lost', (log) => log.map(([key]) => remove(key))],
    ['a session is missing', 'session', () => [remove(`c${victim}`)]],
    ['a foreign session is there', 'session', () => [put('cforeign', Buffer.of(1, 1, 1))]],
    ['a foreign snapshot lies there', 'session', () => [put('sforeign', '{}')]],
    ['a dead letter is too many', 'dead letter', () => [put(`f${victim}\0a`, 'x')]],
    ['a command waits', 'parked', () => [put(Buffer.from(`h${victim}\0\0\0\0\0\0\0\0\x09`), 'x')]],
  ];

  test.each(mutants)('is complained about when %s', async (_, wrong, mutate) => {
    const changes = mutate(await entriesOf(victim));
    const before = await apply(changes);
    const verdict = verdictOf(await readLevel(directory));
    await apply(before);
    expectCaught(verdict, wrong);
    expect(verdictOf(await readLevel(directory)).complaints).toEqual([]);
  });

  async function entriesOf(session: string): Promise<Entries> {
    await using level = await openLevel(directory);
    const start = `e${session}\0`;
    return await level.iterator({ gte: Buffer.from(start), lt: Buffer.from(`${start.slice(0, -1)}\x01`) }).all();
  }

  /** Writes the changes; returns those that take them back. */
  async function apply(changes: readonly Change[]): Promise<readonly Change[]> {
    await using level = await openLevel(directory);
    const back = await Promise.all(
      changes.map(async ({ key }) => {
        const value = await level.get(Buffer.from(key));
        return value === undefined ? remove(key) : put(key, value);
      }),
    );
    const writes = changes.map(({ key, value }) =>
      value === undefined
        ? ({ type: 'del', key: Buffer.from(key) } as const)
        : ({ type: 'put', key: Buffer.from(key), value: Buffer.from(value) } as const),
    );
    await level.batch(writes);
    return back;
  }

  /** The key of the entry behind the last one. */
  function after(log: Entries): Buffer {
    const key = Buffer.from(log.at(-1)?.[0] ?? '');
    key.writeUIntBE(key.readUIntBE(key.length - 6, 6) + 1, key.length - 6, 6);
    return key;
  }
});
