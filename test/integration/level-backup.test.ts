import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, entries } from '../../src/conformance/store-samples.ts';
import type { OpenDatabase } from '../../src/level/database.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { type LevelStore, openLevelStore } from '../../src/stores/level/level-store.ts';
import { Faults } from '../support/faulty-level.ts';

let parent: string;
let backups: string;
let faults: Faults;
/** What happens while the first page of a backup is read. */
let meanwhile: (() => Promise<void>) | undefined;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'level-backup-'));
  backups = join(parent, 'backups');
  faults = new Faults();
  meanwhile = undefined;
});

afterEach(() => rm(parent, { recursive: true }));

const openDatabase: OpenDatabase = async (directory) => {
  const database = await faults.openDatabase(directory);
  const iterate = database.iterator.bind(database) as (options: object) => { nextv(size: number): Promise<unknown> };
  const iterator = (options: object) => {
    const found = iterate(options);
    const nextv = found.nextv.bind(found);
    return Object.assign(found, {
      nextv: async (size: number) => {
        const happens = meanwhile;
        meanwhile = undefined;
        await happens?.();
        return nextv(size);
      },
    });
  };
  return Object.assign(database, { iterator });
};

function open(directory = join(parent, 'level')): Promise<LevelStore> {
  const probeBytes = 1024 * 1024;
  const { files } = faults;
  return openLevelStore({ directory, files, clock: systemClock, newId: randomUUID, openDatabase, probeBytes });
}

test('what is committed while the copy is read does not show in it', async () => {
  await using store = await open();
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 5)).build());
  const before = await readContents(store);
  meanwhile = async () => {
    await store.commit(builder.replace(ada, ...entries(5, 9)).build());
    await store.idle();
  };
  await store.backup(join(backups, 'one'));
  await assertLog(store, ada, entries(5, 9));
  await using copy = await open(join(backups, 'one'));
  expect(await readContents(copy)).toEqual(before);
});

test('a backup says how many records and bytes it holds', async () => {
  await using store = await open();
  await store.commit(new PlanBuilder().append(ada, ...entries(0, 3_000)).build());
  const { records, bytes } = await store.backup(join(backups, 'one'));
  // The entries, the cursor, the identity and the totals.
  expect(records).toBe(3_003);
  expect(bytes).toBeGreaterThan(entries(0, 3_000).reduce((sum, entry) => sum + entry.length, 0));
});

test('a store that must be opened anew meanwhile ends the backup, which can be made again', async () => {
  await using store = await open();
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 2)).build());
  meanwhile = async () => {
    const plan = builder.append(ada, ...entries(2, 4)).build();
    faults.failure = 'IO error: /data/level/000007.log: No space left on device';
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    faults.failure = undefined;
    await store.commit(plan);
  };
  const backup = store.backup(join(backups, 'one'));
  await expect(backup).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  expect(await readdir(backups)).toEqual([]);
  await store.backup(join(backups, 'one'));
  await using copy = await open(join(backups, 'one'));
  await assertLog(copy, ada, entries(0, 4));
});

test('a full disk in the place for backups ends the backup, leaves nothing there, and does not stop commits', async () => {
  await using store = await open();
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, ...entries(0, 2)).build());
  faults.full = true;
  const backup = store.backup(join(backups, 'one'));
  await expect(backup).rejects.toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining(backups) });
  expect(await readdir(backups)).toEqual([]);
  await store.commit(builder.append(ada, ...entries(2, 4)).build());
  expect(store.state).toBe('writable');
});

test('what an interrupted backup left goes with the next one, under whatever name; other things stay', async () => {
  await using store = await open();
  await store.commit(new PlanBuilder().append(ada, ...entries(0, 2)).build());
  await store.backup(join(backups, 'one'));
  const left = `unfinished-backup-${store.identity.id}`;
  await cp(join(backups, 'one'), join(backups, left), { recursive: true });
  await cp(join(backups, 'one'), join(backups, 'unfinished-backup-of-another'), { recursive: true });
  await store.backup(join(backups, 'two'));
  expect((await readdir(backups)).sort()).toEqual(['one', 'two', 'unfinished-backup-of-another']);
});

test('no backup takes the name of an unfinished one, which the next backup removes', async () => {
  await using store = await open();
  const taken = join(backups, `unfinished-backup-${store.identity.id}`);
  await expect(store.backup(taken)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('until they are finished'),
  });
  await store.backup(join(backups, 'one'));
  expect(await readdir(backups)).toEqual(['one']);
});

test.each([
  ['an empty directory', (path: string) => mkdir(path)],
  ['a file', (path: string) => writeFile(path, 'notes')],
])('no backup takes the place of %s', async (_, make) => {
  await using store = await open();
  await mkdir(backups);
  await make(join(backups, 'one'));
  await expect(store.backup(join(backups, 'one'))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(await readdir(backups)).toEqual(['one']);
});

test('no backup is made within the store itself', async () => {
  await using store = await open();
  for (const path of ['level', 'level/backup', 'level/backups/one', 'elsewhere/../level/one', 'level/..one']) {
    await expect(store.backup(join(parent, path))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  }
  expect(await readdir(join(parent, 'level'))).not.toContain('backups');
  await store.backup(join(parent, 'level-backup'));
});
