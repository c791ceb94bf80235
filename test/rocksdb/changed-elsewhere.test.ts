import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ada, bob, bytes } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import type { Operations } from '../../src/stores/rocksdb/packing.ts';
import {
  type ChangedStore,
  checkAdopted,
  checkRefused,
  leaveSessions,
  runtimeEntry,
} from '../support/changed-elsewhere.ts';
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

const open: ChangedStore['open'] = (options) => openRocksdb(directory, options);
const dump = () => upstreamRecords(directory);
const key = (text: string) => Buffer.from(text, 'utf8');
const changes: readonly (readonly [string, SessionId, (operations: Operations) => void, object])[] = [
  [
    'a log that is longer',
    ada,
    (operations) => operations.put('logs', key('ada\x0000000003'), runtimeEntry()),
    { entries: 4, presence: 'known' },
  ],
  [
    'a log that was compacted',
    ada,
    (operations) => {
      operations.removeRange('logs', key('ada\0'), key('ada\x01'));
      operations.put('logs', key('ada\x0000000000'), runtimeEntry('Checkpoint', { compacted_incoming_ordinals: 4 }));
    },
    { entries: 1, compactionBase: 4, presence: 'known' },
  ],
  [
    'a log of one entry that became a Checkpoint',
    bob,
    (operations) =>
      operations.put('logs', key('bob\x0000000000'), runtimeEntry('Checkpoint', { compacted_incoming_ordinals: 2 })),
    { entries: 1, compactionBase: 2, presence: 'known' },
  ],
  [
    'a session that is new',
    cleo,
    (operations) => {
      operations.put('logs', key('cleo\x0000000000'), runtimeEntry());
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

describe.each(changes)('%s', (_, session, write, expected) => {
  const change = () => writeFromOutside(directory, write);

  test('written by something else after us is refused by its name, and nothing is changed by that', () =>
    checkRefused({ open, dump, change }, session));

  test('is adopted where that is said: cursors keep their numbers and take the log as it is', async () => {
    let outside: unknown;
    const noted = async () => {
      await change();
      outside = await dump();
    };
    await checkAdopted({ open, dump, change: noted }, session, expected);
    expect(await dump()).toEqual(outside);
  });
});

test('a runtime that only booted, and saved its sessions, has changed nothing that would be refused', async () => {
  await leaveSessions(open);
  await writeFromOutside(directory, (operations) => {
    operations.put('sessions', key('ada'), bytes('{"a":2}'));
    operations.put('sessions', key('bob'), bytes('{"b":2}'));
  });
  await using store = await openRocksdb(directory);
  await using view = await store.openSession(ada);
  expect(await view?.snapshot()).toEqual(Buffer.from('{"a":2}'));
});
