import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes, entries } from '../../src/conformance/store-samples.ts';
import type { RocksdbStore } from '../../src/stores/rocksdb/rocksdb-store.ts';
import { upstreamRecords } from '../support/rocksdb-contents.ts';
import { openRocksdb } from '../support/rocksdb-harness.ts';

const program = fileURLToPath(new URL('open-with-library.py', import.meta.url));

let place: string;
let directory: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'rocksdb-releases-'));
  directory = join(place, 'store');
});
afterEach(() => rmSync(place, { recursive: true }));

/** Runs the program on RocksDB of that release: what it read of upstream's families, as `upstreamRecords` gives them. */
function openElsewhere(version: string, ...record: readonly string[]): readonly object[] {
  const library = process.env[`MACP_PERSIST_TEST_ROCKSDB_${version.replaceAll('.', '_')}`];
  if (library === undefined) throw new Error(`there is no library of RocksDB ${version}: run npm test rocksdb`);
  const output = execFileSync('python3', [program, library, directory, ...record], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  const text = (hexadecimal: string) => Buffer.from(hexadecimal, 'hex').toString('utf8');
  const records = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as [string, string, string]);
  return records
    .filter(([cf]) => cf !== 'default')
    .map(([cf, key, value]) => ({ cf, key: text(key), value: text(value) }));
}

/** Logs that grow, are replaced and deleted, long ones and short ones, so that every kind of operation is in it. */
async function work(store: RocksdbStore, builder: PlanBuilder): Promise<void> {
  const large = Array.from({ length: 200 }, (_, index) => bytes(JSON.stringify({ index, text: 'x'.repeat(20_000) })));
  const steps = [
    () =>
      builder
        .create(ada)
        .append(ada, ...entries(0, 300))
        .save(ada, bytes('{"a":1}')),
    () => builder.append(bob, ...entries(0, 5), ...large).save(bob, bytes('{"b":1}')),
    () => builder.replace(ada, ...entries(300, 301)),
    () => builder.append(ada, ...entries(301, 310), ...large),
    () => builder.remove(bob).append(bob, ...entries(5, 7)),
    () => builder.replace(ada, ...entries(400, 402)).save(ada, bytes('{"a":2}')),
  ];
  for (const step of steps) await store.commit(step().build());
}

describe.each(['8.10.0', '11.8.1'])('RocksDB %s, which macp-storage stands on,', (version) => {
  test('reads what we wrote, what was replaced and deleted included; and we read it again after that', async () => {
    const builder = new PlanBuilder();
    // More than once, so that some of it lies in tables, and some in the log.
    for (let round = 0; round < 3; round += 1) {
      await using store = await openRocksdb(directory);
      await work(store, builder);
    }
    const expected = await upstreamRecords(directory);
    expect(expected.length).toBe(1 + 2 + 2);
    expect(openElsewhere(version)).toEqual(expected);
    await using store = await openRocksdb(directory);
    await work(store, builder);
    await store.close();
    expect(openElsewhere(version)).toEqual(expected);
  });

  test('writes to our store, and that is noticed', async () => {
    {
      await using store = await openRocksdb(directory);
      await work(store, new PlanBuilder());
    }
    const key = Buffer.from('ada\x0000000002').toString('hex');
    expect(openElsewhere(version, 'logs', key, Buffer.from('{}').toString('hex')).length).toBe(1 + 2 + 2 + 1);
    await expect(openRocksdb(directory)).rejects.toThrow('session "ada" has 3 log entries instead of 2');
  });
});
