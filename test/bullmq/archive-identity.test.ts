import { cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  assertDelivered,
  assertRejects,
  someCommands,
  someSessions,
  startingAt,
} from '../../src/conformance/queue-samples.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { openArchive } from '../../src/queues/bullmq/archive/open-archive.ts';
import { ArchivedQueue, replayed, storeAll } from '../support/archived-queue.ts';
import { openBullmqAt, smallArchive } from '../support/bullmq.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { freshDirectory } from '../support/program.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';
import { changeTo } from '../support/shard-changes.ts';

const redis = useOneRedis();
const sessions = someSessions.slice(0, 10);
let archived: ArchivedQueue;
beforeEach(() => {
  archived = new ArchivedQueue(serverAt(redis.server.port));
});
afterEach(() => archived[Symbol.dispose]());

test('a worker without the archive, or with another directory, is refused; publishers are not', async () => {
  {
    await using queue = await archived.open();
    await queue.publish(someCommands(sessions, 1, 1));
    await storeAll(queue);
  }
  await using without = await archived.open({ archive: undefined });
  expect(without.capabilities.replayable).toBe(false);
  await without.publish(someCommands(sessions, 2, 2));
  await assertRejects('INVALID_CONFIGURATION', without.consume(startingAt()));
  const elsewhere = freshDirectory();
  await using other = await archived.open({ archive: smallArchive(elsewhere) });
  await assertRejects('INVALID_CONFIGURATION', other.consume(startingAt()));
  await assertRejects('INVALID_CONFIGURATION', replayed(other));
  await assertRejects('INVALID_CONFIGURATION', other.bounds());
  rmSync(elsewhere, { recursive: true });
  await using queue = await archived.open();
  assertDelivered(await replayed(queue), someCommands(sessions, 1, 2));
});

test('the archive of another queue is refused, wherever it was put', async () => {
  await using queue = await archived.open();
  await queue.publish(someCommands(sessions, 1, 1));
  await storeAll(queue);
  const [first = ''] = readdirSync(archived.directory);
  const archive = smallArchive(archived.directory);
  await using other = await openBullmqAt(serverAt(redis.server.port), uniquePrefix(), { archive });
  await other.publish(someCommands(sessions, 1, 1));
  const second = other.source.slice('bullmq:'.length);
  renameSync(join(archived.directory, first), join(archived.directory, second));
  await assertRejects('INVALID_CONFIGURATION', other.consume(startingAt()));
  await assertRejects('INVALID_CONFIGURATION', queue.bounds());
  renameSync(join(archived.directory, second), join(archived.directory, first));
  await storeAll(other);
  rmSync(join(archived.directory, second, 'shard-1'), { recursive: true });
  cpSync(join(archived.directory, first, 'shard-1'), join(archived.directory, second, 'shard-1'), { recursive: true });
  await assertRejects('INVALID_CONFIGURATION', other.consume(startingAt()));
});

test('an archive is given up by its id: another one begins, or none, and nothing of the old one counts', async () => {
  {
    await using queue = await archived.open();
    await queue.publish(someCommands(sessions, 1, 2));
    await storeAll(queue);
  }
  const id = archived.id;
  {
    await using same = await archived.open({ givenUpArchive: id });
    await assertRejects('INVALID_CONFIGURATION', same.consume(startingAt()));
  }
  const old = `${archived.directory}-old`;
  renameSync(archived.directory, old);
  {
    await using wrong = await archived.open({ givenUpArchive: 'another' });
    await assertRejects('INVALID_CONFIGURATION', wrong.consume(startingAt()));
  }
  {
    await using next = await archived.open({ givenUpArchive: id });
    await next.publish(someCommands(sessions, 3, 3));
    assertDelivered(await storeAll(next), someCommands(sessions, 3, 3));
    expect([...(await next.bounds()).values()].every(({ start }) => start > 0)).toBe(true);
  }
  const second = archived.id;
  await using none = await archived.open({ archive: undefined, givenUpArchive: second });
  await none.publish(someCommands(sessions, 4, 4));
  await storeAll(none);
  await expect.poll(() => redis.client.llen(`{${archived.prefix}}:commands-1:wait`)).toBe(0);
  rmSync(old, { recursive: true });
});

test('after a change of the shards the archive is expected still: no worker begins without it, or elsewhere', async () => {
  {
    await using queue = await archived.open();
    await queue.publish(someCommands(sessions, 1, 1));
    await storeAll(queue);
  }
  const address = serverAt(redis.server.port);
  await changeTo(address, archived.prefix, 5);
  // Nobody has begun an archive since.
  await changeTo(address, archived.prefix, 2);
  const shards = { shards: 2 };
  const id = archived.id;
  const elsewhere = freshDirectory();
  for (const archive of [undefined, smallArchive(elsewhere)]) {
    await using other = await archived.open({ ...shards, archive });
    await other.publish(someCommands(sessions, 2, 2));
    const refused = other.consume(startingAt());
    await expect(refused).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining(id),
    });
    await assertRejects('INVALID_CONFIGURATION', other.archive());
  }
  expect(readdirSync(elsewhere).flatMap((name) => readdirSync(join(elsewhere, name)))).toEqual([]);
  {
    await using given = await archived.open({ ...shards, archive: smallArchive(elsewhere), givenUpArchive: id });
    expect(await storeAll(given)).toHaveLength(2 * sessions.length);
  }
  // What is begun in its stead is what is expected from then on.
  await changeTo(address, archived.prefix, 3);
  await using first = await archived.open();
  await assertRejects('INVALID_CONFIGURATION', first.consume(startingAt()));
  await using next = await archived.open({ archive: smallArchive(elsewhere) });
  await next.publish(someCommands(sessions, 3, 3));
  await storeAll(next);
  await using alone = await archived.open({ archive: undefined });
  await assertRejects('INVALID_CONFIGURATION', alone.consume(startingAt()));
  rmSync(elsewhere, { recursive: true });
});

test('an archive whose note was cut short is mended by the next worker, and not read before', async () => {
  {
    await using queue = await archived.open();
    await queue.publish(someCommands(sessions, 1, 1));
    await storeAll(queue);
  }
  const [note = ''] = archived.notes();
  const whole = readFileSync(archived.folder(note));
  for (const cut of [0, 1, whole.length - 2]) {
    truncateSync(archived.folder(note), cut);
    await assertRejects('QUEUE_CORRUPT', openArchive({ directory: archived.folder(), fileSystem: nodeFileSystem }));
    await using queue = await archived.open();
    await storeAll(queue);
    expect(archived.notes()).toEqual([note]);
    expect(readFileSync(archived.folder(note))).toEqual(whole);
  }
});
