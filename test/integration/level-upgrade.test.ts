import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readContents, type StoreContents } from '../../src/conformance/store-contents.ts';
import { lifeOfTwoSessions } from '../../src/conformance/store-life.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import type { NumberedContent } from '../../src/domain/delivery.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { encodeMessage } from '../../src/domain/message.ts';
import { parkedCommand } from '../../src/domain/rule/session-draft.ts';
import { encodeBinary } from '../../src/domain/wire/binary.ts';
import { contentOf } from '../../src/domain/wire/content.ts';
import { parkedKey } from '../../src/embedded-store/record-keys.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { type LevelStore, openLevelStore } from '../../src/stores/level/level-store.ts';
import { append, numbered } from '../support/commands.ts';
import { Faults } from '../support/faulty-level.ts';
import { parkedCommandOfFormatOne, parkedHeaderOfFormatOne } from '../support/parked-format-one.ts';

const earlier = [1, 2];
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

/** Commands that wait as a worker parks them: valid, refused for an attribute, refused for their data. */
const waiting = [append(300, 'm'), { ...append(4, 'm'), id: 'not-the-id' }, numbered('macp.log.append.v1', 7, '{}')];
const parked = waiting.map((command, offset) => {
  const message = encodeBinary(command);
  return parkedCommand(contentOf(command) as NumberedContent, { partition: 0, offset }, encodeMessage(message));
});
const session = waiting[0]?.session as SessionId;

/**
 * A store as an earlier layout left it: 1 knew no totals, neither knew what parked commands will be refused for.
 * Resolves with what is in it, totals and refusals included.
 */
async function layoutOf(version: number): Promise<StoreContents> {
  const store = await open();
  for (const plan of lifeOfTwoSessions().slice(0, -2)) await store.commit(plan);
  await store.commit(new PlanBuilder().park(session, ...parked).build());
  const contents = await readContents(store);
  await store.close();
  await withDatabase(async (database) => {
    for (const command of parked) {
      const { sequence } = command;
      await database.put(key('parkedHeader', sequence), Buffer.from(parkedHeaderOfFormatOne(command)));
      await database.put(key('parkedCommand', sequence), Buffer.from(parkedCommandOfFormatOne(command)));
    }
    if (version === 1) await database.del(totalsKey);
    await database.put(identityKey, Buffer.from(JSON.stringify(identityOf(version))));
  });
  return contents;
}

function key(kind: 'parkedHeader' | 'parkedCommand', sequence: number): Buffer {
  return Buffer.from(parkedKey(kind, session, sequence));
}

/** The stored identity, and whether there is a record of totals. */
function storedLayout(): Promise<readonly [unknown, boolean]> {
  return withDatabase(async (database) => {
    const identity = await database.get(identityKey);
    return [JSON.parse(String(identity)), await database.has(totalsKey)] as const;
  });
}

test.each(earlier)('a store of layout %i is upgraded when it is opened, and what it holds stays', async (version) => {
  const contents = await layoutOf(version);
  const store = await open();
  expect(store.identity).toEqual(identityOf(3));
  expect(await readContents(store)).toEqual(contents);
  const headers = await store.readParkedHeaders(session);
  expect(headers.map(({ refusal }) => refusal)).toEqual(['INVALID_ATTRIBUTE', 'INVALID_DATA', undefined]);
  expect(
    await store.readParked(
      session,
      headers.map(({ sequence }) => sequence),
    ),
  ).toMatchObject(headers);
  await store.close();
  expect(await storedLayout()).toEqual([identityOf(3), true]);
  const reopened = await open();
  for (const plan of lifeOfTwoSessions().slice(-2)) await reopened.commit(plan);
  await reopened.close();
});

test.each(
  earlier.flatMap((version) => [
    [version, 'IO error: /data/level/000007.log: No space left on device', 'DISK_FULL'] as const,
    [version, 'IO error: /data/level/000007.log: Input/output error', 'STORE_IO_FAILED'] as const,
  ]),
)('an upgrade that fails leaves layout %i, and is done at the next opening: %s', async (version, failure, code) => {
  const contents = await layoutOf(version);
  faults.failure = failure;
  await expect(open()).rejects.toMatchObject({ code });
  await expect(open()).rejects.toMatchObject({ code });
  expect(await storedLayout()).toEqual([identityOf(version), version > 1]);
  faults.failure = undefined;
  await using store = await open();
  expect(await readContents(store)).toEqual(contents);
});

test.each(earlier)('an upgrade of layout %i that failed but was written does nothing twice', async (version) => {
  const contents = await layoutOf(version);
  faults.failure = 'IO error: /data/level/000007.log: Input/output error';
  faults.writesAnyway = true;
  await expect(open()).rejects.toMatchObject({ code: 'STORE_IO_FAILED' });
  faults.failure = undefined;
  await using store = await open();
  expect(store.identity).toEqual(identityOf(3));
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
