import { addonPlaces, loadAddon } from '../../src/stores/rocksdb/addon.ts';
import { RocksDatabase } from '../../src/stores/rocksdb/database.ts';
import type { Family } from '../../src/stores/rocksdb/families.ts';
import { Operations } from '../../src/stores/rocksdb/packing.ts';
import { next } from '../../src/stores/rocksdb/rocksdb-records.ts';
import { thisPlatform } from './rocksdb-harness.ts';

/** A record of one of upstream's families, as `raw-rocksdb-VERSION.ndjson` holds them. */
export interface UpstreamRecord {
  readonly cf: Family;
  readonly key: string;
  readonly value: string;
}

export function rocksdbAddon() {
  return loadAddon(addonPlaces(thisPlatform));
}

/** Everything that upstream finds in a database that nobody has open for writing: family by family, in the order of keys. */
export async function upstreamRecords(directory: string): Promise<readonly UpstreamRecord[]> {
  const database = await RocksDatabase.openReadOnly(rocksdbAddon(), directory);
  try {
    const families: readonly Family[] = ['sessions', 'logs', ...(database.hasReceipts ? (['receipts'] as const) : [])];
    const records: UpstreamRecord[] = [];
    for (const family of families) records.push(...(await recordsOf(database, family)));
    return records;
  } finally {
    await database.close();
  }
}

async function recordsOf(database: RocksDatabase, family: Family): Promise<readonly UpstreamRecord[]> {
  const found: UpstreamRecord[] = [];
  const snapshot = await database.takeSnapshot();
  const to = Buffer.alloc(1_024, 0xff);
  let from: Uint8Array = Buffer.of();
  for (;;) {
    const page = await database.records({ family, from, to }, { records: 100, bytes: 1e6 }, snapshot);
    for (const [key, value] of page.records) found.push({ cf: family, key: text(key), value: text(value) });
    const last = page.records.at(-1);
    if (page.isLast || last === undefined) return found;
    from = next(last[0]);
  }
}

/** Writes to the database as something else would: nothing of ours says so. */
export async function writeFromOutside(directory: string, fill: (operations: Operations) => void): Promise<void> {
  const database = await RocksDatabase.open(rocksdbAddon(), directory, {
    createReceipts: false,
    writeBufferBytes: 1e6,
  });
  try {
    const operations = new Operations();
    fill(operations);
    await database.write(operations);
  } finally {
    await database.close();
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
