import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { initialCursor } from '../../src/domain/cursor.ts';
import type { SessionId, Writer } from '../../src/domain/identifiers.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { Publisher } from '../../src/publisher/publisher.ts';
import type { SessionWriter } from '../../src/publisher/session-writer.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import { StoreWatch } from '../../src/read-side/store-watch.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { entryText } from '../support/commands.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'publisher-'));
});
afterEach(() => rm(directory, { recursive: true }));

const sessions = ['session-a', 'session-b', 'session-c'].map((id) => id as SessionId);

interface Running {
  readonly publisher: () => Publisher;
  readonly store: Store;
  readonly watch: StoreWatch;
}

/** Runs `use` over an embedded queue that is soon full, a level store, and a worker between them. */
async function whileRunning(use: (running: Running) => Promise<void>): Promise<void> {
  const common = { clock: systemClock, newId: randomUUID };
  const limits = { maximumUnconsumedBytes: 64 * 1024 };
  await using queue = await openEmbeddedQueue({
    ...common,
    ...limits,
    directory: join(directory, 'queue'),
    fileSystem: nodeFileSystem,
  });
  await using store = await openLevelStore({ ...common, directory: join(directory, 'level'), files: nodeFileSystem });
  await using watch = new StoreWatch({ store, clock: systemClock, polls: false });
  await using pipeline = new Pipeline({
    queue,
    store,
    clock: systemClock,
    limits: { deliveries: 100, bytes: 1 << 20 },
    cachedSessions: 100,
    backoff: { initial: 1, maximum: 10 },
  });
  pipeline.on('committed', ({ changes }) => watch.noteCommitted(changes));
  const work = pipeline.run();
  const newWriter = (): Writer => `//test/${randomUUID()}` as Writer;
  const publisher = (): Publisher => new Publisher({ sink: queue, watch, clock: systemClock, newWriter });
  await use({ publisher, store, watch });
  await pipeline.stop();
  await work;
}

async function readLog(store: Store, session: SessionId): Promise<readonly string[]> {
  const texts: string[] = [];
  await using view = await store.openSession(session);
  for await (const page of view?.log() ?? []) for (const entry of page) texts.push(Buffer.from(entry).toString());
  return texts;
}

/** Appends entries and resolves with the texts of those that were applied, in the order they were sent. */
async function write(writer: SessionWriter, mark: string, count: number): Promise<readonly string[]> {
  const texts = Array.from({ length: count }, (_, index) => entryText(`${mark} ${index} ${'x'.repeat(300)}`));
  const applied = await Promise.all(
    texts.map(async (text) => {
      try {
        await (await writer.append(text)).applied();
        return [text];
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(DEAD_LETTERED|WRITER_FENCED)$/) });
        return [];
      }
    }),
  );
  return applied.flat();
}

describe('a publisher on an embedded queue and a level store', () => {
  test('writes many sessions through a full queue in order, and goes on after a restart under a fresh name', async () => {
    const written = new Map<SessionId, string[]>();
    for (const run of [1, 2]) {
      await whileRunning(async ({ publisher, store, watch }) => {
        await using own = publisher();
        for (const session of sessions) written.set(session, written.get(session) ?? []);
        await Promise.all(
          sessions.map(async (session) => {
            const writer = await own.open(session);
            expect(writer.last).toBe((run - 1) * 200);
            written.get(session)?.push(...(await write(writer, `run ${run}`, 200)));
          }),
        );
        for (const session of sessions) expect(await readLog(store, session)).toEqual(written.get(session));
        for (const cursor of await watch.cursors(sessions)) {
          expect(cursor).toMatchObject({ epoch: run, last: run * 200, filed: 0, parkedCommands: 0, halted: false });
        }
      });
    }
  });

  test('is fenced by another one that opens its session while it writes; what was applied is what is stored', async () => {
    await whileRunning(async ({ publisher, store, watch }) => {
      await using first = publisher();
      await using second = publisher();
      const session = 'session-a' as SessionId;
      const older = await first.open(session);
      const rest = write(older, 'older', 300);
      const newer = await second.open(session);
      const texts = [...(await rest), ...(await write(newer, 'newer', 100))];
      expect(await write(older, 'too late', 1)).toEqual([]);
      await expect(older.create()).rejects.toMatchObject({ code: 'WRITER_FENCED' });
      expect(await readLog(store, session)).toEqual(texts);
      expect(texts.filter((text) => text.includes('newer')).length).toBe(100);
      const [cursor = initialCursor] = await watch.cursors([session]);
      expect(cursor).toMatchObject({ writer: newer.writer, epoch: 2, last: texts.length, parkedCommands: 0 });
    });
  });
});
