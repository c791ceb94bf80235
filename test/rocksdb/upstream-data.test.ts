import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readContents, readLog } from '../../src/conformance/store-contents.ts';
import { initialCursor } from '../../src/domain/cursor.ts';
import { canonicalDump } from '../../src/domain/documents/canonical.ts';
import { decodeEvent, messageOfEvent } from '../../src/domain/wire/structured.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { type UpstreamRecord, upstreamRecords, writeFromOutside } from '../support/rocksdb-contents.ts';
import { openRocksdb } from '../support/rocksdb-harness.ts';
import { rawDelivery, ScriptedQueue } from '../support/scripted-queue.ts';
import { goldenLines } from '../unit/wire/golden.ts';

let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'rocksdb-upstream-'));
});
afterEach(() => rmSync(place, { recursive: true }));

function fixture(name: string): readonly string[] {
  return readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
}

/** A copy of a database that macp-storage wrote: opening one writes to it. */
function recorded(folder: 'v0.4.0' | 'v0.13.0'): string {
  const copy = join(place, folder);
  cpSync(new URL(`../fixtures/golden/${folder}/rocksdb-store`, import.meta.url), copy, { recursive: true });
  return copy;
}

async function persist(store: Store, lines: readonly Uint8Array[]): Promise<void> {
  const queue = new ScriptedQueue();
  queue.addDeliveries(lines.map((line) => rawDelivery(decodeEvent(line), messageOfEvent(line), queue.nextPosition())));
  const options = { limits: { deliveries: 97, bytes: 1e6 }, cachedSessions: 10, backoff: { initial: 1, maximum: 1 } };
  await using pipeline = new Pipeline({ queue, store, clock: systemClock, ...options });
  await pipeline.runUntilCaughtUp();
}

async function dump(store: Store): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const session of await store.listSessions({ limit: 1_000 })) {
    await using view = await store.openSession(session);
    if (view === undefined) continue;
    lines.push(canonicalDump({ session, snapshot: await view.snapshot(), log: await readLog(view) }));
  }
  return lines;
}

/** Keys, and the values of log entries: upstream writes a snapshot's sets and maps in another order each time. */
function comparable(records: readonly UpstreamRecord[]): readonly string[] {
  return records.map(({ cf, key, value }) => JSON.stringify(cf === 'logs' ? [cf, key, value] : [cf, key]));
}

describe.each(['v0.4.0', 'v0.13.0'] as const)('the commands of %s', (folder) => {
  test('leave in every family of upstream, key by key, what upstream itself wrote', async () => {
    const directory = join(place, 'store');
    {
      await using store = await openRocksdb(directory);
      await persist(store, goldenLines(folder));
      expect(await dump(store)).toEqual(fixture(`${folder}/expected.ndjson`));
    }
    const written = comparable(await upstreamRecords(directory));
    expect(written.length).toBeGreaterThan(50);
    expect(written).toEqual(comparable(await upstreamRecords(recorded(folder))));
  });
});

test('the commands of a made-up stream leave the keys that upstream has of it, and the bytes that were sent', async () => {
  const directory = join(place, 'store');
  {
    await using store = await openRocksdb(directory);
    await persist(store, goldenLines('edge'));
    expect(await dump(store)).toEqual(fixture('edge/expected-verbatim.ndjson'));
  }
  const keys = (await upstreamRecords(directory)).map(({ cf, key }) => `${cf} ${key}`);
  const theirs = fixture('edge/raw-rocksdb-0.4.0.ndjson').map((line) => JSON.parse(line));
  expect(keys).toEqual(theirs.map(({ cf, key }) => `${cf} ${key}`));
});

describe.each(['v0.4.0', 'v0.13.0'] as const)('a store that macp-storage %s wrote', (folder) => {
  test('is adopted as it is, and is not touched by that', async () => {
    const directory = recorded(folder);
    const before = await upstreamRecords(directory);
    const expected = fixture(`${folder}/expected.ndjson`);
    {
      await using store = await openRocksdb(directory);
      expect(await dump(store)).toEqual(expected);
      for (const [, cursor] of await store.listCursors({ limit: 1_000 })) {
        const { entries, compactionBase } = cursor;
        expect(cursor).toEqual({ ...initialCursor, presence: 'known', entries, compactionBase });
      }
      expect((await store.readTotals()).sessions).toBe(expected.length);
    }
    expect(await upstreamRecords(directory)).toEqual(before);
  });

  test('is adopted once: it keeps its identity, and is looked through no more', async () => {
    const directory = recorded(folder);
    const first = await openRocksdb(directory);
    const contents = await readContents(first);
    await first.close();
    await using second = await openRocksdb(directory);
    expect(second.identity).toEqual(first.identity);
    expect(await readContents(second)).toEqual(contents);
  });

  test('goes on by its commands under a new writer, whose log is added to', async () => {
    const directory = recorded(folder);
    await using store = await openRocksdb(directory);
    const [before] = await store.listCursors({ limit: 1 });
    if (before === undefined) throw new Error('there is no session');
    const [session, { entries }] = before;
    const log = fixture(`${folder}/expected.ndjson`).flatMap((line) => JSON.parse(line).log);
    await persist(store, [
      event({ id: `${session}/1/claim`, type: 'macp.session.claim.v1', subject: session }),
      event({ id: `${session}/1/1`, type: 'macp.log.append.v1', subject: session, macpsequence: '1', data: log[0] }),
    ]);
    const [after] = await store.readCursors([session]);
    expect(after).toMatchObject({ entries: entries + 1, last: 1, epoch: 1 });
  });
});

function event(attributes: Readonly<Record<string, unknown>>): Uint8Array {
  const common = { specversion: '1.0', source: 'urn:test:successor', macpepoch: '1' };
  return Buffer.from(JSON.stringify({ ...common, ...attributes }), 'utf8');
}

test('an adoption that was interrupted is done again, to the same end', async () => {
  const directory = recorded('v0.4.0');
  const first = await openRocksdb(directory);
  const contents = await readContents(first);
  const text = JSON.stringify({ ...first.identity, adopting: true });
  await first.close();
  await writeFromOutside(directory, (operations) => {
    operations.put('default', Buffer.from('!'), Buffer.from(text));
    operations.removeRange('default', Buffer.from('c0'), Buffer.from('d'));
    operations.remove('default', Buffer.from('t'));
  });
  await using again = await openRocksdb(directory);
  expect(await readContents(again)).toEqual(contents);
});

test.each<[string, 'sessions' | 'logs' | 'default', Buffer, string]>([
  ['a session whose id is none', 'sessions', Buffer.from('a/b'), '{}'],
  ['a session whose id is no text', 'sessions', Buffer.from([0xff, 0xfe]), '{}'],
  ['a log that lacks an entry', 'logs', Buffer.from('ada\x0000000001'), '{}'],
  ['a log with something that is no entry', 'logs', Buffer.from('ada\0meta'), '{}'],
  ['a log that has more entries than eight digits number', 'logs', Buffer.from('ada\x00100000000'), '{}'],
  ['something that is not of ours where ours lies', 'default', Buffer.from('hello'), '{}'],
])('%s is not adopted: the store is refused, and nothing of upstream is touched', async (_, family, key, value) => {
  const directory = recorded('v0.13.0');
  await writeFromOutside(directory, (operations) => operations.put(family, key, Buffer.from(value)));
  const before = await upstreamRecords(directory);
  await expect(openRocksdb(directory)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  expect(await upstreamRecords(directory)).toEqual(before);
});
