import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StoredPosition } from '../../src/domain/plan.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { FileSystem } from '../../src/ports/file-system.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import { append, create } from '../support/commands.ts';

// A consumer that had consumed everything began at the end of the journal as it was after looking its place up, so
// what had become durable meanwhile was never delivered: `publish --as` waited for its own claim for ever.

/** Runs `before` before each read of a file. */
function withReads(before: () => Promise<void>): FileSystem {
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return {
        read: async (target, position) => {
          await before();
          return file.read(target, position);
        },
        write: (bytes, position) => file.write(bytes, position),
        datasync: () => file.datasync(),
        truncate: (length) => file.truncate(length),
        size: () => file.size(),
        close: () => file.close(),
        [Symbol.asyncDispose]: () => file.close(),
      };
    },
  };
}

test('a command that becomes durable while a consumer looks its place up is delivered', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'finding-the-place-'));
  let beforeRead = async (): Promise<void> => {};
  try {
    const fileSystem = withReads(() => beforeRead());
    await using queue = await openEmbeddedQueue({
      directory,
      partitions: 1,
      fileSystem,
      clock: systemClock,
      newId: randomUUID,
    });
    await queue.publish([create(1)]);

    const nothing = async (): Promise<ReadonlyMap<number, StoredPosition | undefined>> => new Map();
    const consumer = await queue.consume({ assigned: nothing, revoked: async () => {} });
    const [first] = await consumer.take({ deliveries: 1, bytes: 1 });
    const consumed: StoredPosition | undefined = first && { next: 1, digest: first.recordDigest() };
    await consumer.close();

    let published: Promise<unknown> | undefined;
    beforeRead = async () => {
      published ??= queue.publish([append(2, 'meanwhile')]);
      await published;
    };
    const next = await queue.consume({ assigned: async () => new Map([[0, consumed]]), revoked: async () => {} });
    const delivered = await next.takeNow({ deliveries: 10, bytes: 1000 });
    expect(published).toBeDefined();
    expect(delivered.map(({ position }) => position.offset)).toEqual([1]);
    await next.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
