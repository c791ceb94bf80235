import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { PlanBuilder, someDeadLetter, somePosition } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, entries, source } from '../../src/conformance/store-samples.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { type LevelStore, type LevelStoreOptions, openLevelStore } from '../../src/stores/level/level-store.ts';
import { Faults } from '../support/faulty-level.ts';

const noSpace = 'IO error: /data/level/000007.log: No space left on device';

let parent: string;
let directory: string;
let faults: Faults;
let stores: LevelStore[];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'level-store-'));
  directory = join(parent, 'made', 'on', 'opening');
  faults = new Faults();
  stores = [];
});

afterEach(async () => {
  for (const store of stores) await store.close();
  await rm(parent, { recursive: true });
});

async function open(options: Partial<LevelStoreOptions> = {}): Promise<LevelStore> {
  const { files, openDatabase } = faults;
  const probeBytes = 1024 * 1024;
  const defaults = { directory, clock: systemClock, newId: randomUUID, files, openDatabase, probeBytes };
  const store = await openLevelStore({ ...defaults, ...options });
  stores.push(store);
  return store;
}

async function putRaw(key: Uint8Array | string, value: string): Promise<void> {
  await nodeFileSystem.makeDirectory(directory);
  const database = new ClassicLevel<Uint8Array | string, string>(directory, { keyEncoding: 'buffer' });
  await database.put(Buffer.from(key), value);
  await database.close();
}

describe('opening', () => {
  test('a store keeps the identity it was created with', async () => {
    const store = await open({ newId: () => 'first' });
    expect(store.identity).toEqual({ kind: 'level', id: 'first', layoutVersion: 3 });
    await store.close();
    expect((await open({ newId: () => 'second' })).identity.id).toBe('first');
  });

  test('a store that is open already is refused at once, by directory', async () => {
    await open();
    await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED', message: expect.stringContaining(directory) });
  });

  test('a database of someone else is refused and left as it is', async () => {
    await putRaw('their key', 'their value');
    await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT', message: expect.stringContaining(directory) });
    const database = new ClassicLevel<string, string>(directory);
    expect(await database.iterator().all()).toEqual([['their key', 'their value']]);
    await database.close();
  });

  test('a newer layout is refused', async () => {
    await (await open()).close();
    await putRaw(Buffer.of(0x21), '{"kind":"level","id":"x","layoutVersion":4}');
    await expect(open()).rejects.toMatchObject({ code: 'STORE_TOO_NEW' });
  });

  test.each([
    '{',
    '{"kind":"level"}',
    '{"kind":"rocksdb","id":"x","layoutVersion":1}',
    '{"kind":"level","id":"x","layoutVersion":0}',
  ])('an identity that cannot be read is refused: %s', async (identity) => {
    await putRaw(Buffer.of(0x21), identity);
    await expect(open()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  test('a disk that is full on opening says so and can be tried again', async () => {
    faults.openFailure = noSpace;
    await expect(open()).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true });
    faults.openFailure = undefined;
    await open();
  });
});

describe('a full disk', () => {
  test('ends in a read-only store that is written again as soon as there is room', async () => {
    const store = await open();
    const states: string[] = [];
    store.events.on('state', (state) => states.push(state));
    const builder = new PlanBuilder();
    await store.commit(
      builder
        .append(ada, ...entries(0, 2))
        .position(source, 0, somePosition(2))
        .build(),
    );
    const before = await readContents(store);
    const plan = builder
      .append(ada, ...entries(2, 4))
      .position(source, 0, somePosition(4))
      .build();
    faults.failure = noSpace;
    faults.full = true;
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL', retryable: true });
    expect(store.state).toBe('read-only');
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await readContents(store)).toEqual(before);
    faults.full = false;
    faults.failure = undefined;
    await store.commit(plan);
    expect(faults.opened).toBe(2);
    expect(states).toEqual(['read-only', 'writable']);
    await assertLog(store, ada, entries(0, 4));
    expect(await readdir(directory)).not.toContain('room-probe');
  });

  test('never writes a database again before it was opened anew', async () => {
    const store = await open();
    const builder = new PlanBuilder();
    faults.failure = noSpace;
    const plan = builder.append(ada, ...entries(0, 2)).build();
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(faults.opened).toBe(3);
  });

  test('that let the commit through all the same: the very same plan counts as done, once', async () => {
    const store = await open();
    const builder = new PlanBuilder();
    faults.failure = noSpace;
    faults.writesAnyway = true;
    const plan = builder
      .append(ada, ...entries(0, 2))
      .unreadable(someDeadLetter('one', undefined))
      .position(source, 0, somePosition(2))
      .build();
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    faults.failure = undefined;
    await store.commit(plan);
    await assertLog(store, ada, entries(0, 2));
    expect((await store.readTotals()).deadLetters.refused).toBe(1);
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'POSITION_MISMATCH' });
    await store.commit(
      builder
        .append(ada, ...entries(2, 3))
        .position(source, 0, somePosition(3))
        .build(),
    );
    await assertLog(store, ada, entries(0, 3));
  });

  test('on which the database cannot be opened either: unavailable, and recovered later', async () => {
    const store = await open();
    const plan = new PlanBuilder().append(ada, ...entries(0, 2)).build();
    faults.failure = noSpace;
    faults.openFailure = noSpace;
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(store.readCursors([ada])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'DISK_FULL' });
    faults.failure = undefined;
    faults.openFailure = undefined;
    await store.commit(plan);
    await assertLog(store, ada, entries(0, 2));
  });

  test('met while cleaning makes the store read-only; afterwards cleaning ends', async () => {
    const store = await open();
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, ...entries(0, 50)).build());
    faults.cleaningFailure = noSpace;
    await store.commit(builder.replace(ada, ...entries(0, 1)).build());
    await store.idle();
    expect(store.state).toBe('read-only');
    faults.cleaningFailure = undefined;
    await store.commit(builder.append(ada, ...entries(1, 2)).build());
    await store.idle();
    expect(store.state).toBe('writable');
    await assertLog(store, ada, entries(0, 2));
  });
});

describe('any other failure of a write', () => {
  test.each([
    'IO error: /data/level/000007.log: Input/output error',
    'IO error: /data/level/MANIFEST-000002: Read-only file system',
  ])('is never retried: %s', async (failure) => {
    const store = await open();
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, ...entries(0, 2)).build());
    const before = await readContents(store);
    faults.failure = failure;
    const plan = builder.append(ada, ...entries(2, 3)).build();
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'STORE_IO_FAILED', retryable: false });
    faults.failure = undefined;
    expect(store.state).toBe('failed');
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
    expect(faults.opened).toBe(1);
    expect(await readContents(store)).toEqual(before);
    await store.close();
    const reopened = await open();
    await reopened.commit(plan);
    await assertLog(reopened, ada, entries(0, 3));
  });

  test('damage is STORE_CORRUPT', async () => {
    const store = await open();
    faults.failure = 'Corruption: block checksum mismatch';
    const plan = new PlanBuilder().append(ada, ...entries(0, 2)).build();
    await expect(store.commit(plan)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(store.state).toBe('failed');
  });
});

describe('many sessions', () => {
  test('cursor versions are checked as well for sessions that are no longer remembered', async () => {
    const store = await open({ cachedVersions: 8 });
    const builder = new PlanBuilder();
    const ids = Array.from({ length: 100 }, (_, index) => `session ${index}` as typeof ada);
    const first = ids.map((id) => builder.append(id, ...entries(0, 1)).build());
    for (const plan of first) await store.commit(plan);
    for (const id of ids) await store.commit(builder.append(id, ...entries(1, 2)).build());
    for (const plan of first) await expect(store.commit(plan)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
    for (const id of ids) await assertLog(store, id, entries(0, 2));
  });
});

describe('whoever saw a commit never sees less afterwards', () => {
  /** Entries that a view shows, and then the cursor that is read. */
  async function seen(store: LevelStore): Promise<readonly [view: number | undefined, cursor: number | undefined]> {
    await using view = await store.openSession(ada);
    const [cursor] = await store.readCursors([ada]);
    return [view?.cursor.entries, cursor?.entries];
  }

  test('also while the commit is written and nobody was told', async () => {
    const store = await open();
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, ...entries(0, 2)).build());
    expect(await seen(store)).toEqual([2, 2]);
    const whileWritten: unknown[] = [];
    faults.written = async () => {
      whileWritten.push(await seen(store));
    };
    await store.commit(builder.append(ada, ...entries(2, 3)).build());
    expect(whileWritten).toEqual([[3, 3]]);
    expect(await seen(store)).toEqual([3, 3]);
  });

  test('when a read began before the commit and ends after it', async () => {
    const store = await open();
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, ...entries(0, 2)).build());
    await store.close();
    const reopened = await open();
    const reads: Promise<unknown>[] = [];
    faults.written = async () => {
      reads.push(reopened.readCursors([ada]));
    };
    reads.push(reopened.readCursors([ada]));
    await reopened.commit(builder.append(ada, ...entries(2, 3)).build());
    await Promise.all(reads);
    expect(await seen(reopened)).toEqual([3, 3]);
  });

  test.each([noSpace, 'IO error: /data/level/000007.log: Input/output error'])(
    'when the commit failed and is there all the same: %s',
    async (failure) => {
      const store = await open();
      const builder = new PlanBuilder();
      await store.commit(builder.append(ada, ...entries(0, 2)).build());
      Object.assign(faults, { failure, writesAnyway: true });
      await expect(store.commit(builder.append(ada, ...entries(2, 3)).build())).rejects.toThrow();
      expect(await seen(store)).toEqual([3, 3]);
      expect(await seen(store)).toEqual([3, 3]);
    },
  );
});
