import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { encodeEvent } from '../../src/domain/wire/structured.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { append, create, entryText, skip } from '../support/commands.ts';
import { sequence, WorkingSystem } from '../support/working-system.ts';

const session = 'a-session-of-the-tests-1' as SessionId;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'macp-persist-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Works on the embedded queue and the level store `name`, and leaves both closed. */
async function working<Result>(name: string, use: (system: WorkingSystem) => Promise<Result>): Promise<Result> {
  const common = { clock: systemClock, newId: randomUUID };
  await using queue = await openEmbeddedQueue({
    ...common,
    directory: join(directory, 'queue'),
    partitions: 2,
    fileSystem: nodeFileSystem,
  });
  await using store = await openLevelStore({ ...common, directory: join(directory, name), files: nodeFileSystem });
  await using system = new WorkingSystem({ queue, store, writer: `//test/service/${randomUUID()}` }).work();
  return await use(system);
}

function send(system: WorkingSystem, events: readonly Uint8Array[], timeout = 10_000) {
  return system.publishing.publish({ events, until: 'applied', timeout });
}

function unnumbered(mark: string): Buffer {
  const event = { specversion: '1.0', id: mark, source: '//test/any', type: 'macp.log.append.v1', subject: session };
  return Buffer.from(`${JSON.stringify(event).slice(0, -1)},"data":${entryText(mark)}}`);
}

/** Everything that a person sees of the session and its dead letters. */
async function seen(system: WorkingSystem): Promise<unknown> {
  await system.caughtUp();
  const { dead_letters: letters } = await system.operators.listDeadLetters({ limit: 100 });
  const shown = await Promise.all(letters.map(({ id }) => system.operators.showDeadLetter(id, undefined)));
  return { shown, marks: await system.marks(session), cursor: await system.watch.cursors([session]) };
}

test('what was decided and published lies in queue and store: after a start anew, and after a replay, it is the same', async () => {
  const before = await working('level', async (system) => {
    await send(system, [create(1), append(3, 'three'), append(4, 'four'), append(4, 'rival')].map(encodeEvent), 20);
    await system.caughtUp();
    const decision = { session, sequence: sequence(2), by: 'on call', reason: 'lost for good' };
    expect(await system.operators.skip(decision)).toMatchObject({ outcome: 'applied' });
    const stale = skip(2, 1, 'ec4bd4a0-3b1c-4f5a-9df3-15c0a2a6b001');
    await send(system, [stale, append(2, 'two after all'), append(6, 'six')].map(encodeEvent), 20);
    const data = Buffer.from(entryText('five'));
    await system.operators.repair({ session, sequence: sequence(5), type: 'macp.log.append.v1', data });
    const results = await Promise.all(['a', 'b', 'c'].map((mark) => send(system, [unnumbered(mark)])));
    expect(results.flat().map((result) => result.sequence)).toEqual([7, 8, 9]);
    expect(await system.marks(session)).toEqual(['three', 'four', 'five', 'six', 'a', 'b', 'c']);
    return await seen(system);
  });
  expect(before).toMatchObject({ shown: { length: 3 } });
  expect(await working('level', seen)).toEqual(before);
  expect(await working('replayed', seen)).toEqual(before);
});
