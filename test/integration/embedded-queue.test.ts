import { randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  consumeAll,
  someCommand,
  someCommands,
  someSessions,
  told,
  toldCommand,
} from '../../src/conformance/queue-samples.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { EmbeddedQueue } from '../../src/queues/embedded/embedded-queue.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import type { EmbeddedQueueOptions } from '../../src/queues/embedded/options.ts';

let directory: string;
let queue: EmbeddedQueue;

async function reopen(options: Partial<EmbeddedQueueOptions> = {}): Promise<EmbeddedQueue> {
  queue = await openEmbeddedQueue({
    directory,
    fileSystem: nodeFileSystem,
    clock: systemClock,
    newId: randomUUID,
    ...options,
  });
  return queue;
}

async function segments(): Promise<string[]> {
  const folder = join(directory, 'segments');
  return (await readdir(folder)).sort().map((name) => join(folder, name));
}

async function flip(path: string, at: number): Promise<void> {
  await using file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 0xff]), 0, 1, at);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedded-queue-'));
  await reopen();
});

afterEach(async () => {
  await queue.close();
  await rm(directory, { recursive: true });
});

describe('opening', () => {
  test('a second opener is refused at once', async () => {
    await expect(
      openEmbeddedQueue({ directory, fileSystem: nodeFileSystem, clock: systemClock, newId: randomUUID }),
    ).rejects.toMatchObject({
      code: 'QUEUE_LOCKED',
      message: expect.stringContaining(directory),
    });
  });

  test('another number of partitions than it was created with is refused', async () => {
    await queue.close();
    await expect(reopen({ partitions: 9 })).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
    expect((await reopen({ partitions: 8 })).partitions).toBe(8);
  });

  test.each([0, 1.5, 5_000, Number.NaN])('%d partitions are refused', async (partitions) => {
    await queue.close();
    await expect(reopen({ partitions })).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' });
  });
});

describe('what a crash or a bad disk leaves', () => {
  test('a torn tail is cut off, whatever is left of it, and the queue goes on from there', async () => {
    await queue.publish([someCommand(someSessions[0] ?? ('' as never), 1)]);
    await queue.close();
    const [path = ''] = await segments();
    const whole = await stat(path);
    await reopen();
    await queue.publish(someCommands(someSessions.slice(0, 3), 2, 2));
    await queue.close();
    const all = await readFile(path);
    for (let length = whole.size; length < all.length; length += 13) {
      await writeFile(path, all.subarray(0, length));
      await appendFile(path, Buffer.alloc(length % 5));
      await reopen();
      const deliveries = await consumeAll(queue);
      const { size } = await stat(path);
      expect(size).toBe(whole.size + deliveries.slice(1).reduce((sum, { bytes }) => sum + bytes, 0));
      await queue.close();
    }
    await reopen();
    await queue.publish([someCommand(someSessions[5] ?? ('' as never), 1)]);
    expect((await consumeAll(queue)).map(told)).toContain(
      toldCommand(someCommand(someSessions[5] ?? ('' as never), 1)),
    );
  });

  test('damage before what was synced later is QUEUE_CORRUPT, naming file and byte', async () => {
    await queue.publish(someCommands(someSessions, 1, 1));
    const [path = ''] = await segments();
    const { size } = await stat(path);
    await queue.publish(someCommands(someSessions, 2, 2));
    await queue.close();
    await flip(path, size - 3);
    await expect(reopen()).rejects.toMatchObject({ code: 'QUEUE_CORRUPT', message: expect.stringContaining(path) });
  });

  test('damage in an older segment is QUEUE_CORRUPT once it is read', async () => {
    await queue.close();
    await reopen({ segmentBytes: 1_000 });
    for (let sequence = 1; sequence <= 4; sequence += 1)
      await queue.publish(someCommands(someSessions, sequence, sequence));
    await queue.close();
    const [, second = ''] = await segments();
    await flip(second, 800);
    await reopen();
    await expect(consumeAll(queue)).rejects.toMatchObject({
      code: 'QUEUE_CORRUPT',
      message: expect.stringContaining(second),
    });
  });

  test('an older segment that is shorter than it was, or gone, is QUEUE_CORRUPT', async () => {
    await queue.close();
    await reopen({ segmentBytes: 1_000 });
    for (let sequence = 1; sequence <= 4; sequence += 1)
      await queue.publish(someCommands(someSessions, sequence, sequence));
    await queue.close();
    const [, second = ''] = await segments();
    await truncate(second, (await stat(second)).size - 1);
    await expect(reopen()).rejects.toMatchObject({ code: 'QUEUE_CORRUPT', message: expect.stringContaining(second) });
    await rm(second);
    await expect(reopen()).rejects.toMatchObject({ code: 'QUEUE_CORRUPT' });
  });

  test('data that holds the bytes of a record is not taken for one behind a torn tail', async () => {
    const session = someSessions[0] ?? ('' as never);
    await queue.publish([someCommand(session, 1)]);
    const [path = ''] = await segments();
    const before = (await stat(path)).size;
    await queue.close();
    const record = (await readFile(path)).subarray(before - 90);
    await reopen();
    await queue.publish([{ ...someCommand(session, 2), data: Buffer.concat([record, record]) }]);
    await queue.close();
    await truncate(path, (await stat(path)).size - 1);
    await reopen();
    expect((await consumeAll(queue)).map(told)).toEqual([toldCommand(someCommand(session, 1))]);
  });
});
