import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readContents, type StoreContents } from '../../src/conformance/store-contents.ts';
import { lifeOfTwoSessions } from '../../src/conformance/store-life.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { type LevelStore, openLevelStore } from '../../src/stores/level/level-store.ts';
import { Faults } from '../support/faulty-level.ts';

const identityKey = Buffer.from('!');
const totalsKey = Buffer.from('t');
const identityOf = (layoutVersion: number) => ({ kind: 'level', id: 'the store', layoutVersion });

let directory: string;
let faults: Faults;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'level-upgrade-'));
  faults = new Faults();
});

afterEach(() => rm(directory, { recursive: true }));

function open(): Promise<LevelStore> {
  const { files, openDatabase } = faults;
  return openLevelStore({ directory, clock: systemClock, newId: randomUUID, files, openDatabase });
}

async function withDatabase<Value>(use: (database: ClassicLevel<Buffer, Buffer>) => Promise<Value>): Promise<Value> {
  const database = new ClassicLevel<Buffer, Buffer>(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

/** A store as layout 1 left it, which knew no totals; resolves with what is in it, totals included. */
async function layoutOne(): Promise<StoreContents> {
  const store = await open();
  for (const plan of lifeOfTwoSessions().slice(0, -2)) await store.commit(plan);
  const contents = await readContents(store);
  await store.close();
  await withDatabase(async (database) => {
    await database.del(totalsKey);
    await database.put(identityKey, Buffer.from(JSON.stringify(identityOf(1))));
  });
  return contents;
}

/** The stored identity, and whether there is a record of totals. */
function storedLayout(): Promise<readonly [unknown, boolean]> {
  return withDatabase(async (database) => {
    const identity = await database.get(identityKey);
    return [JSON.parse(String(identity)), await database.has(totalsKey)] as const;
  });
}

test('a store of layout 1 is upgraded when it is opened: its totals are counted, and all else stays', async () => {
  const contents = await layoutOne();
  const store = await open();
  expect(store.identity).toEqual(identityOf(2));
  expect(await readContents(store)).toEqual(contents);
  await store.close();
  expect(await storedLayout()).toEqual([identityOf(2), true]);
  const reopened = await open();
  for (const plan of lifeOfTwoSessions().slice(-2)) await reopened.commit(plan);
  await reopened.close();
});

test.each([
  ['IO error: /data/level/000007.log: No space left on device', 'DISK_FULL'],
  ['IO error: /data/level/000007.log: Input/output error', 'STORE_IO_FAILED'],
])('an upgrade that fails leaves layout 1, and is done at the next opening: %s', async (failure, code) => {
  const contents = await layoutOne();
  faults.failure = failure;
  await expect(open()).rejects.toMatchObject({ code });
  await expect(open()).rejects.toMatchObject({ code });
  expect(await storedLayout()).toEqual([identityOf(1), false]);
  faults.failure = undefined;
  await using store = await open();
  expect(await readContents(store)).toEqual(contents);
});

test('an upgrade that failed but was written counts nothing twice', async () => {
  const contents = await layoutOne();
  faults.failure = 'IO error: /data/level/000007.log: Input/output error';
  faults.writesAnyway = true;
  await expect(open()).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
  faults.failure = undefined;
  await using store = await open();
  expect(store.identity).toEqual(identityOf(2));
  expect(await readContents(store)).toEqual(contents);
});

test.each([
  ['missing', undefined],
  ['damaged', Buffer.from([1, 0])],
])('a store of this layout whose totals are %s is STORE_CORRUPT', async (_, totals) => {
  await (await open()).close();
  await withDatabase((database) => (totals === undefined ? database.del(totalsKey) : database.put(totalsKey, totals)));
  await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
});
