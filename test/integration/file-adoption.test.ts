import { appendFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { countedTotals, readContents } from '../../src/conformance/store-contents.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertLog, bob } from '../../src/conformance/store-samples.ts';
import { wireLimits } from '../../src/domain/command.ts';
import { initialCursor } from '../../src/domain/cursor.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import type { Store } from '../../src/ports/store.ts';
import { openFiles, persistLines, temporaryDirectory, upstreamFiles } from '../support/file-stores.ts';
import { goldenLines } from '../unit/wire/golden.ts';

function golden(path: string): string {
  return fileURLToPath(new URL(`../fixtures/golden/${path}`, import.meta.url));
}

/** An entry as macp-runtime writes it. */
function entry(name: string): string {
  const rest = { received_at_ms: 1, sender: 'a', message_type: 'Vote', raw_payload: [1], entry_kind: 'Incoming' };
  return JSON.stringify({ message_id: name, ...rest, session_id: 's', mode: 'm', macp_version: '1' });
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const [one, two, three] = ['one', 'two', 'three'].map(entry) as [string, string, string];

/** A directory in which macp-runtime left one session with this log. */
async function withLog(log: string) {
  const directory = await temporaryDirectory();
  const folder = join(directory.path, 'sessions', ada);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'log.jsonl'), log);
  return { ...directory, path: directory.path, log: join(folder, 'log.jsonl'), folder };
}

async function logOf(store: Store, session: SessionId): Promise<readonly string[]> {
  await using view = await store.openSession(session);
  const entries: string[] = [];
  for await (const page of view?.log() ?? []) for (const found of page) entries.push(Buffer.from(found).toString());
  return entries;
}

describe.each(['v0.4.0', 'v0.13.0'] as const)('a directory that macp-runtime %s wrote', (folder) => {
  test('is adopted whole: every session as if we had written it, but nothing numbered yet', async () => {
    await using directory = await temporaryDirectory();
    await using written = await openFiles(join(directory.path, 'written'));
    await persistLines(written, goldenLines(folder), 300);
    const adoptedAt = join(directory.path, 'adopted');
    cpSync(golden(`${folder}/file-store`), adoptedAt, { recursive: true });
    const before = await upstreamFiles(adoptedAt);
    const first = await openFiles(adoptedAt);
    const contents = await readContents(first);
    expect(contents.totals).toEqual(countedTotals(contents));
    const expected = await readContents(written);
    expect(contents.sessions).toEqual(expected.sessions);
    for (const session of contents.sessions) {
      expect(contents.views[session]?.log).toEqual(expected.views[session]?.log);
    }
    const cursors = new Map(expected.cursors);
    for (const [session, cursor] of contents.cursors) {
      const { entries, compactionBase } = cursors.get(session) ?? initialCursor;
      expect(cursor).toEqual({ ...initialCursor, presence: 'known', entries, compactionBase });
    }
    await first.close();
    expect(await upstreamFiles(adoptedAt)).toEqual(before);
    await using again = await openFiles(adoptedAt);
    expect(await readContents(again)).toEqual(contents);
    expect(again.identity).toEqual(first.identity);
  });
});

describe('the end of an adopted log', () => {
  test.each([
    ['that a crash cut off is cut away', `${one}\n${two.slice(0, 30)}`, [one]],
    ['that a crash cut off within a letter is cut away', `${one}\n${entry('\u4e2d').slice(0, 17)}\xe4`, [one]],
    ['that lacks its line feed is kept', `${one}\n${two}`, [one, two]],
    ['that is only a beginning is cut away', `{"message_id":`, []],
    ['that consists of empty lines is cut away', `${one}\r\n\n\n${two}\n \n`, [one, two]],
  ])('%s, and the next entry begins a line', async (_, log, kept) => {
    await using directory = await withLog(log);
    const store = await openFiles(directory.path);
    expect(await logOf(store, ada)).toEqual(kept);
    const [cursor] = await store.readCursors([ada]);
    expect(cursor?.entries).toBe(kept.length);
    await store.commit(appendTo(cursor, three));
    await store.close();
    expect(readFileSync(directory.log, 'utf8')).toBe([...kept, three].map((line) => `${line}\n`).join(''));
  });

  test('does not matter where a line before it is damaged: that is refused, with file and line', async () => {
    await using directory = await withLog(`${one}\n${two.slice(0, -3)}\n${three}\n`);
    const refused = expect.objectContaining({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(`${directory.log}, line 2: `),
    });
    await expect(openFiles(directory.path)).rejects.toEqual(refused);
    expect(readFileSync(directory.log, 'utf8')).toBe(`${one}\n${two.slice(0, -3)}\n${three}\n`);
  });
});

test('an adopted entry may be larger than any command: the Checkpoint of a large session is read and counts', async () => {
  const payload = '255,'.repeat(wireLimits.dataBytes / 4);
  const checkpoint = one
    .replace('"Incoming"', '"Checkpoint"')
    .replace('[1]', `[${payload}0],"compacted_incoming_ordinals":7`);
  await using directory = await withLog(`${checkpoint}\n${two}\n`);
  await using store = await openFiles(directory.path);
  await assertLog(store, ada, [bytes(checkpoint), bytes(two)]);
  expect(await store.readCursors([ada])).toMatchObject([{ entries: 2, compactionBase: 7 }]);
});

test('an entry that was damaged after we wrote it ends the reading of its log, with file and line; other sessions go on', async () => {
  await using directory = await temporaryDirectory();
  const store = await openFiles(directory.path);
  const builder = new PlanBuilder();
  await store.commit(builder.append(ada, bytes(one), bytes(two)).append(bob, bytes(one)).build());
  await store.commit(builder.append(ada, bytes(three)).build());
  await store.close();
  const log = join(directory.path, 'sessions', ada, 'log.jsonl');
  const damaged = readFileSync(log);
  damaged[one.length + 3] = 0;
  writeFileSync(log, damaged);
  await using again = await openFiles(directory.path);
  const where = expect.stringContaining(`${log}, line 2: `);
  await expect(logOf(again, ada)).rejects.toMatchObject({ code: 'STORE_CORRUPT', message: where });
  await assertLog(again, bob, [bytes(one)]);
});

describe('what macp-runtime writes after us', () => {
  type Change = (place: { readonly folder: string; readonly log: string; readonly path: string }) => void;
  const changes: readonly (readonly [string, Change, string, readonly string[] | undefined])[] = [
    ['one more entry', ({ log }) => appendFileSync(log, `${three}\n`), ada, [one, two, three]],
    ['one more entry, cut off', ({ log }) => appendFileSync(log, three.slice(0, 20)), ada, [one, two]],
    ['another log', ({ log }) => replaceFile(log, `${three}\n`), ada, [three]],
    ['another log of the same length', ({ log }) => replaceFile(log, `${two}\n${one}\n`), ada, [two, one]],
    ['an empty log', ({ log }) => replaceFile(log, ''), ada, []],
    ['no log', ({ log }) => rmSync(log), ada, []],
    ['no session', ({ folder }) => rmSync(folder, { recursive: true }), ada, undefined],
    ['a receipt', ({ folder }) => writeFileSync(join(folder, 'receipt.json'), '{}'), ada, [one, two]],
    ['a session that we do not know', ({ path }) => mkdirSync(join(path, 'sessions', 'carl')), 'carl', []],
  ];

  test.each(changes)(
    '%s, is noticed when the store is opened, and taken over where that is asked for',
    async (_, change, named, log) => {
      await using directory = await temporaryDirectory();
      const folder = join(directory.path, 'sessions', ada);
      const store = await openFiles(directory.path);
      const reign = { epoch: 3 as Epoch, writer: 'urn:w' as Writer, first: 1 as Sequence, last: 2 as Sequence };
      const plan = new PlanBuilder()
        .append(ada, bytes(one), bytes(two))
        .cursor(ada, reign)
        .append(bob, bytes(one))
        .build();
      await store.commit(plan);
      await store.close();
      change({ path: directory.path, folder, log: join(folder, 'log.jsonl') });
      const refused = { code: 'STORE_CHANGED_ELSEWHERE', message: expect.stringContaining(JSON.stringify(named)) };
      await expect(openFiles(directory.path)).rejects.toMatchObject(refused);
      await expect(openFiles(directory.path)).rejects.toMatchObject(refused);
      const adopting = await openFiles(directory.path, { adoptChanges: true });
      const contents = await readContents(adopting);
      expect(contents.totals).toEqual(countedTotals(contents));
      const session = named as SessionId;
      if (log === undefined) expect(contents.sessions).toEqual([bob]);
      else expect(await logOf(adopting, session)).toEqual(log);
      const [cursor] = await adopting.readCursors([ada]);
      expect(cursor).toMatchObject({ ...reign, presence: log === undefined ? 'deleted' : 'known' });
      await adopting.close();
      await using after = await openFiles(directory.path);
      expect(await readContents(after)).toEqual(contents);
      const [now] = await after.readCursors([session]);
      await after.commit(appendTo(now, three, session));
      expect((await logOf(after, session)).at(-1)).toBe(three);
    },
  );

  test('namely a snapshot of every session when it starts, is no change: it is read as it is', async () => {
    await using directory = await temporaryDirectory();
    const store = await openFiles(directory.path);
    const builder = new PlanBuilder();
    await store.commit(builder.append(ada, bytes(one)).save(ada, bytes('{"a":0.0}')).append(bob, bytes(one)).build());
    await store.close();
    for (const session of [ada, bob]) {
      replaceFile(join(directory.path, 'sessions', session, 'session.json'), '{\n  "a": 1.0\n}');
    }
    await using again = await openFiles(directory.path);
    for (const session of [ada, bob]) {
      await using view = await again.openSession(session);
      expect(Buffer.from((await view?.snapshot()) ?? []).toString()).toBe('{"a":1.0}');
    }
  });
});

/** As macp-runtime does: beside, and renamed. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

/** One more entry, whatever the session holds. */
function appendTo(before: Awaited<ReturnType<Store['readCursors']>>[number], text: string, session: SessionId = ada) {
  const plan = new PlanBuilder().append(session, bytes(text)).build();
  const [change] = plan.changes;
  if (change === undefined) throw new TypeError('no change');
  const held = before ?? initialCursor;
  const after = { ...held, presence: 'known' as const, entries: held.entries + 1, version: held.version + 1 };
  return { ...plan, changes: [{ ...change, before, after }] };
}
