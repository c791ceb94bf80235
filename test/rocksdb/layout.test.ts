import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes, entries } from '../../src/conformance/store-samples.ts';
import { nodeFileSystem as files } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { loadAddon } from '../../src/stores/rocksdb/addon.ts';
import { RocksDatabase } from '../../src/stores/rocksdb/database.ts';
import { examineUpstreamRocksdb } from '../../src/stores/rocksdb/upstream-source.ts';
import { fingerprint } from '../support/fingerprint.ts';
import { rocksdbAddon, upstreamRecords, writeFromOutside } from '../support/rocksdb-contents.ts';
import { openRocksdb } from '../support/rocksdb-harness.ts';

let place: string;
let directory: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'rocksdb-layout-'));
  directory = join(place, 'store');
});
afterEach(() => rmSync(place, { recursive: true }));

async function hasReceipts(): Promise<boolean> {
  const database = await RocksDatabase.openReadOnly(rocksdbAddon(), directory);
  const { hasReceipts: found } = database;
  await database.close();
  return found;
}

describe('the family of receipts, which releases before 0.13.0 cannot open', () => {
  test('is not made before there is a receipt or an anchor', async () => {
    await using store = await openRocksdb(directory);
    const builder = new PlanBuilder();
    await store.commit(
      builder
        .create(ada)
        .append(ada, ...entries(0, 3))
        .build(),
    );
    await store.commit(builder.remove(ada).build());
    await store.close();
    expect(await hasReceipts()).toBe(false);
  });

  test.each(['receipt', 'anchor'] as const)('is made with the first %s, in the same commit', async (kind) => {
    const builder = new PlanBuilder();
    {
      await using store = await openRocksdb(directory);
      await store.commit(builder.create(ada)[kind](ada, bytes('first')).build());
      await using view = await store.openSession(ada);
      expect(await view?.[kind]()).toEqual(Buffer.from('first'));
    }
    expect(await hasReceipts()).toBe(true);
    const key = kind === 'receipt' ? 'ada' : 'ada\0anchor';
    expect(await upstreamRecords(directory)).toEqual([{ cf: 'receipts', key, value: 'first' }]);
    await using store = await openRocksdb(directory);
    await store.commit(builder.remove(ada).build());
    await store.close();
    expect(await upstreamRecords(directory)).toEqual([]);
  });

  test('is made at once where only newer releases are to read the store', async () => {
    await (await openRocksdb(directory, { newerReleasesOnly: true })).close();
    expect(await hasReceipts()).toBe(true);
  });
});

describe('a log that is replaced', () => {
  test.each([
    [3, 1],
    [3, 5],
    [500, 1],
    [500, 0],
    [500, 499],
  ])('of %i entries by %i begins at 0 again, and leaves no key behind', async (before, after) => {
    await using store = await openRocksdb(directory);
    const builder = new PlanBuilder();
    await store.commit(
      builder
        .append(ada, ...entries(0, before))
        .append(bob, ...entries(0, 2))
        .build(),
    );
    await store.commit(builder.replace(ada, ...entries(1_000, 1_000 + after)).build());
    await store.close();
    const keys = (await upstreamRecords(directory)).map(({ key }) => key);
    const expected = Array.from({ length: after }, (_, ordinal) => `ada\0${String(ordinal).padStart(8, '0')}`);
    expect(keys).toEqual([...expected, 'bob\x0000000000', 'bob\x0000000001']);
  });
});

describe('what is not opened', () => {
  test.each([
    ['a log only', 1, false],
    ['a table', 2, true],
  ])(
    'a level store that has %s, neither to be written nor to be read: it is left as it is',
    async (_, opened, hasTable) => {
      const builder = new PlanBuilder();
      for (let time = 0; time < opened; time += 1) {
        await using store = await openLevelStore({ directory, files, clock: systemClock, newId: randomUUID });
        await store.commit(builder.append(ada, ...entries(time, time + 1)).build());
      }
      const before = fingerprint(directory);
      expect([...before.keys()].some((name) => name.endsWith('.ldb'))).toBe(hasTable);
      const refused = { code: 'STORE_CORRUPT', message: expect.stringContaining('is it a level store?') };
      await expect(openRocksdb(directory)).rejects.toMatchObject(refused);
      const platform = `${process.platform}-${process.arch}`;
      await expect(examineUpstreamRocksdb({ directory, platform, files })).rejects.toMatchObject(refused);
      expect(fingerprint(directory)).toEqual(before);
    },
  );

  test('a store of a later layout', async () => {
    await (await openRocksdb(directory)).close();
    await writeFromOutside(directory, (operations) =>
      operations.put('default', Buffer.from('!'), bytes('{"kind":"rocksdb","id":"x","layoutVersion":2}')),
    );
    await expect(openRocksdb(directory)).rejects.toMatchObject({ code: 'STORE_TOO_NEW' });
  });

  test.each(['{', '{"kind":"level","id":"x","layoutVersion":1}', '{"kind":"rocksdb","id":"x","layoutVersion":0}'])(
    'a store whose identity is %s',
    async (text) => {
      await (await openRocksdb(directory)).close();
      await writeFromOutside(directory, (operations) => operations.put('default', Buffer.from('!'), bytes(text)));
      await expect(openRocksdb(directory)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    },
  );

  test('one that is open already, until it is closed', async () => {
    const store = await openRocksdb(directory);
    await expect(openRocksdb(directory)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await store.close();
    await (await openRocksdb(directory)).close();
  });

  test('any, where the addon is not there: what to run is said', () => {
    expect(() => loadAddon([join(place, 'none.node')])).toThrow('npm run rocksdb:build');
    writeFileSync(join(place, 'broken.node'), 'no library');
    expect(() => loadAddon([join(place, 'broken.node')])).toThrow(/cannot be loaded .*npm run rocksdb:build/);
    writeFileSync(join(place, 'older.cjs'), 'module.exports = { INTERFACE_VERSION: 0 };');
    expect(() => loadAddon([join(place, 'older.cjs')])).toThrow(/another release.*npm run rocksdb:build/);
  });
});

test('closing is prompt: open views do not hold the database, and what they are asked then is refused', async () => {
  const store = await openRocksdb(directory);
  await store.commit(
    new PlanBuilder()
      .create(ada)
      .append(ada, ...entries(0, 3))
      .build(),
  );
  const views = await Promise.all(Array.from({ length: 20 }, () => store.openSession(ada)));
  await store.close();
  await (await openRocksdb(directory)).close();
  for (const view of views) {
    await expect(view?.snapshot()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await view?.close();
    await view?.close();
  }
});
