import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { PlanBuilder, someDeadLetter, someParked } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Operations } from '../../src/stores/rocksdb/packing.ts';
import { upstreamRecords, writeFromOutside } from '../support/rocksdb-contents.ts';
import { openRocksdb } from '../support/rocksdb-harness.ts';

const cleo = 'cleo' as SessionId;
let place: string;
let directory: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'rocksdb-changed-'));
  directory = join(place, 'store');
});
afterEach(() => rmSync(place, { recursive: true }));

function entry(kind = 'Incoming', more: object = {}): Uint8Array {
  const required = { message_id: 'm', received_at_ms: 1, sender: 's', message_type: 'T', raw_payload: [] };
  return bytes(JSON.stringify({ ...required, entry_kind: kind, ...more }));
}

/** Two sessions as this project leaves them: one with a log, a snapshot and something parked, one with a log. */
async function leaveStore(): Promise<void> {
  await using store = await openRocksdb(directory);
  const builder = new PlanBuilder();
  const plans = [
    () => builder.create(ada).append(ada, entry(), entry(), entry()).save(ada, bytes('{"a":1}')),
    () => builder.append(bob, entry()).park(ada, someParked(9)).file(ada, someDeadLetter('one', ada)),
  ];
  for (const plan of plans) await store.commit(plan().build());
}

const key = (text: string) => Buffer.from(text, 'utf8');
const changes: readonly (readonly [string, SessionId, (operations: Operations) => void, object])[] = [
  [
    'a log that is longer',
    ada,
    (operations) => operations.put('logs', key('ada\x0000000003'), entry()),
    { entries: 4, presence: 'known' },
  ],
  [
    'a log that was compacted',
    ada,
    (operations) => {
      operations.removeRange('logs', key('ada\0'), key('ada\x01'));
      operations.put('logs', key('ada\x0000000000'), entry('Checkpoint', { compacted_incoming_ordinals: 4 }));
    },
    { entries: 1, compactionBase: 4, presence: 'known' },
  ],
  [
    'a log of one entry that became a Checkpoint',
    bob,
    (operations) =>
      operations.put('logs', key('bob\x0000000000'), entry('Checkpoint', { compacted_incoming_ordinals: 2 })),
    { entries: 1, compactionBase: 2, presence: 'known' },
  ],
  [
    'a session that is new',
    cleo,
    (operations) => {
      operations.put('logs', key('cleo\x0000000000'), entry());
      operations.put('sessions', key('cleo'), bytes('{}'));
    },
    { entries: 1, presence: 'known', version: 0, epoch: 0, last: 0 },
  ],
  [
    'a session that was deleted',
    ada,
    (operations) => {
      operations.removeRange('logs', key('ada\0'), key('ada\x01'));
      operations.remove('sessions', key('ada'));
    },
    { entries: 0, presence: 'deleted', parkedCommands: 1 },
  ],
];

describe.each(changes)('%s', (_, session, change, expected) => {
  test('written by something else after us is refused by its name, and nothing is changed by that', async () => {
    await leaveStore();
    await writeFromOutside(directory, change);
    const before = await upstreamRecords(directory);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const opening = openRocksdb(directory);
      await expect(opening).rejects.toMatchObject({ code: 'STORE_CHANGED_ELSEWHERE' });
      await expect(opening).rejects.toThrow(`session "${session}" `);
      await expect(opening).rejects.toThrow('--adopt-changes');
    }
    expect(await upstreamRecords(directory)).toEqual(before);
  });

  test('is adopted where that is said: cursors keep their numbers and take the log as it is', async () => {
    await leaveStore();
    const first = await openRocksdb(directory);
    const before = await readContents(first);
    await first.close();
    await writeFromOutside(directory, change);
    const outside = await upstreamRecords(directory);
    {
      await using store = await openRocksdb(directory, { adoptChanges: true });
      expect(store.identity).toEqual(first.identity);
      const [cursor] = await store.readCursors([session]);
      expect(cursor).toMatchObject(expected);
      const earlier = before.cursors.find(([id]) => id === session)?.[1];
      if (earlier !== undefined) {
        const { version, last, recent } = earlier;
        expect(cursor).toMatchObject({ version: version + 1, last, recent });
      }
      const after = await readContents(store);
      expect(after.filed).toEqual(before.filed);
      const others = (contents: typeof before) => contents.cursors.filter(([id]) => id !== session);
      expect(others(after)).toEqual(others(before));
      const known = after.cursors.filter(([, { presence }]) => presence === 'known').length;
      expect(after.totals).toEqual({ ...before.totals, sessions: known });
    }
    expect(await upstreamRecords(directory)).toEqual(outside);
    // From now on the store is as we left it.
    await (await openRocksdb(directory)).close();
  });
});

test('a runtime that only booted, and saved its sessions, has changed nothing that would be refused', async () => {
  await leaveStore();
  await writeFromOutside(directory, (operations) => {
    operations.put('sessions', key('ada'), bytes('{"a":2}'));
    operations.put('sessions', key('bob'), bytes('{"b":2}'));
  });
  await using store = await openRocksdb(directory);
  await using view = await store.openSession(ada);
  expect(await view?.snapshot()).toEqual(Buffer.from('{"a":2}'));
});
