import { appendFileSync, cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { countedTotals, readContents } from '../../src/conformance/store-contents.ts';
import { lifeOfTwoSessions } from '../../src/conformance/store-life.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { ada, assertCode, assertLog, bob } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import type { SharedFileSystem } from '../../src/ports/file-system.ts';
import type { FileStoreOptions } from '../../src/stores/file/file-store.ts';
import { openFiles, persistLines, temporaryDirectory, upstreamFiles } from '../support/file-stores.ts';
import { goldenLines } from '../unit/wire/golden.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** An entry as macp-runtime writes it. */
function entry(name: string): Uint8Array {
  const rest = { received_at_ms: 1, sender: 'a', message_type: 'Vote', raw_payload: [1], entry_kind: 'Incoming' };
  return bytes(JSON.stringify({ message_id: name, ...rest, session_id: 's', mode: 'm', macp_version: '1' }));
}

/** A store that is killed again and again: what a kill leaves is what lies there while it is open. */
async function killable(options: Partial<FileStoreOptions> = {}) {
  const directory = await temporaryDirectory();
  const store = await openFiles(join(directory.path, 'store'), options);
  let images = 0;
  return {
    store,
    /** What a kill leaves while nothing goes on beside commits, or the copy would be of no one moment. */
    async killed(): Promise<string> {
      await store.idle();
      images += 1;
      const image = join(directory.path, `image-${images}`);
      cpSync(join(directory.path, 'store'), image, { recursive: true });
      return image;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function logOf(image: string, session: SessionId): string {
  return join(image, 'sessions', session, 'log.jsonl');
}

function journalOf(image: string): readonly string[] {
  return readdirSync(join(image, '.macp-persist', 'journal'));
}

describe('a file store that was killed', () => {
  test.each([200, 3_000, 1e9])(
    'after any commit is opened with all that was committed, with a checkpoint every %d bytes',
    async (checkpointBytes) => {
      await using subject = await killable({ checkpointBytes });
      for (const plan of lifeOfTwoSessions()) {
        await subject.store.commit(plan);
        const expected = await readContents(subject.store);
        const image = await subject.killed();
        await using again = await openFiles(image);
        expect(await readContents(again)).toEqual(expected);
        expect(journalOf(image)).toEqual([]);
      }
    },
  );

  test.each(['edge', 'v0.13.0'] as const)('at any time leaves what persisting %s gives', async (folder) => {
    await using subject = await killable({ checkpointBytes: 4_000 });
    const lines = goldenLines(folder);
    for (let from = 0; from < lines.length; from += 100) {
      // Each goes on from where the one before stood, as one source.
      await persistLines(subject.store, lines.slice(from, from + 100), 5, `part ${from}`);
      const image = await subject.killed();
      await (await openFiles(image)).close();
      expect(await upstreamFiles(image)).toEqual(await upstreamFiles(await subject.killed()));
    }
  });

  test('with files that lost what was not synced writes it again: cut off, or zeros', async () => {
    await using subject = await killable();
    const builder = new PlanBuilder();
    await subject.store.commit(
      builder.append(ada, entry('one')).append(bob, entry('one')).save(bob, bytes('{}')).build(),
    );
    await subject.store.commit(builder.append(ada, entry('two')).replace(bob, entry('other')).build());
    const expected = await readContents(subject.store);
    const cut = await subject.killed();
    truncateSync(logOf(cut, ada), 40);
    truncateSync(logOf(cut, bob), 0);
    const zeros = await subject.killed();
    const log = readFileSync(logOf(zeros, ada));
    writeFileSync(logOf(zeros, ada), log.fill(0, 30, 250));
    for (const image of [cut, zeros]) {
      await using again = await openFiles(image);
      expect(await readContents(again)).toEqual(expected);
    }
  });

  test('after a session was saved since the last checkpoint and then deleted is opened without it', async () => {
    await using subject = await killable({ checkpointBytes: 3_000 });
    const builder = new PlanBuilder();
    const many = Array.from({ length: 20 }, (_, index) => entry(`${index}`));
    await subject.store.commit(builder.append(ada, ...many).build());
    await subject.store.idle();
    await subject.store.commit(builder.save(ada, bytes('{}')).append(ada, entry('two')).build());
    await subject.store.commit(builder.remove(ada).build());
    await using again = await openFiles(await subject.killed());
    expect(await again.listSessions({ limit: 10 })).toEqual([]);
    expect(await again.openSession(ada)).toBe(undefined);
  });

  test('while a commit was written to the journal is opened without it, and one that was written counts', async () => {
    await using subject = await killable();
    const builder = new PlanBuilder();
    await subject.store.commit(builder.append(ada, entry('one')).build());
    const before = await subject.killed();
    await subject.store.commit(builder.append(ada, entry('two')).build());
    const [name = ''] = journalOf(await subject.killed());
    const frames = readFileSync(join(await subject.killed(), '.macp-persist', 'journal', name));
    const journal = join(before, '.macp-persist', 'journal', name);
    const whole = readFileSync(journal).length;
    for (const length of [whole + 1, whole + 30, frames.length - 1, frames.length]) {
      const image = `${before}-${length}`;
      cpSync(before, image, { recursive: true });
      writeFileSync(join(image, '.macp-persist', 'journal', name), frames.subarray(0, length));
      await using again = await openFiles(image);
      await assertLog(again, ada, length < frames.length ? [entry('one')] : [entry('one'), entry('two')]);
    }
  });

  test('is refused where the journal is damaged before its end', async () => {
    await using subject = await killable();
    const builder = new PlanBuilder();
    for (const name of ['one', 'two', 'three']) await subject.store.commit(builder.append(ada, entry(name)).build());
    const image = await subject.killed();
    const journal = join(image, '.macp-persist', 'journal', journalOf(image)[0] ?? '');
    const frames = readFileSync(journal);
    frames.writeUInt8((frames.at(frames.length >> 1) ?? 0) ^ 1, frames.length >> 1);
    writeFileSync(journal, frames);
    await assertCode('STORE_CORRUPT', openFiles(image));
  });
});

describe('what macp-runtime wrote after we were killed', () => {
  /** Two commits of ada and one of bob, none of them checkpointed, as a kill leaves them. */
  async function killedEarly() {
    const subject = await killable();
    const builder = new PlanBuilder();
    await subject.store.commit(builder.append(ada, entry('one')).append(bob, entry('one')).build());
    await subject.store.commit(builder.append(ada, entry('two')).replace(bob, entry('other')).build());
    return subject;
  }
  const line = (name: string): string => `${Buffer.from(entry(name)).toString()}\n`;

  test.each([
    ['behind all of ours', ada, (log: string) => appendFileSync(log, line('theirs')), ['one', 'two', 'theirs']],
    [
      'in the place of what was not written yet',
      ada,
      (log: string) => writeFileSync(log, line('one') + line('their')),
      ['one', 'their'],
    ],
    [
      'behind a log that we had replaced',
      bob,
      (log: string) => appendFileSync(log, line('theirs')),
      ['other', 'theirs'],
    ],
    ['as another log', ada, (log: string) => writeFileSync(log, line('their')), ['their']],
  ] as const)(
    '%s is never lost: that is an error, and taken over where that is asked for',
    async (_, session, write, log) => {
      await using subject = await killedEarly();
      const image = await subject.killed();
      write(logOf(image, session));
      const written = readFileSync(logOf(image, session));
      await assertCode('STORE_CHANGED_ELSEWHERE', openFiles(image));
      await assertCode('STORE_CHANGED_ELSEWHERE', openFiles(image));
      expect(readFileSync(logOf(image, session))).toEqual(written);
      await using adopting = await openFiles(image, { adoptChanges: true });
      await assertLog(adopting, session, log.map(entry));
      const contents = await readContents(adopting);
      expect(contents.totals).toEqual(countedTotals(contents));
      await assertLog(
        adopting,
        session === ada ? bob : ada,
        session === ada ? [entry('other')] : ['one', 'two'].map(entry),
      );
    },
  );
});

test('a store of many sessions never has more than a few files open, not even while a commit touches them all', async () => {
  await using directory = await temporaryDirectory();
  let open = 0;
  let most = 0;
  const files: SharedFileSystem = {
    ...nodeFileSystem,
    async openShared(path, mode) {
      const file = await nodeFileSystem.openShared(path, mode);
      open += 1;
      most = Math.max(most, open);
      return Object.assign(file, {
        close: () => {
          open -= 1;
          return Object.getPrototypeOf(file).close.call(file);
        },
      });
    },
  };
  await using store = await openFiles(directory.path, { files, openLogs: 16 });
  const builder = new PlanBuilder();
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 600; index += 1) builder.append(`session ${index}` as SessionId, entry(`${index}`));
    await store.commit(builder.build());
  }
  await store.idle();
  expect(most).toBeGreaterThan(10);
  expect(most).toBeLessThan(16 + 10);
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(200);
});
