import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { OpenLedger } from '../../src/queues/embedded/ledger.ts';
import { openLevelLedger } from '../../src/queues/embedded/level-ledger.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';
import { append } from '../support/commands.ts';

const fullDisk: OpenLedger = async (directory) => {
  const ledger = await openLevelLedger(directory);
  return {
    readIdentity: () => ledger.readIdentity(),
    saveIdentity: (identity) => ledger.saveIdentity(identity),
    readAcknowledged: () => ledger.readAcknowledged(),
    // In LevelDB's words.
    saveAcknowledged: () => Promise.reject(new Error('IO error: 000003.log: No space left on device')),
    close: () => ledger.close(),
  };
};

// A full disk under the note of what is consumed, which only serves retention, broke the whole queue until a restart;
// on closing it left the queue's lock and a file open.
test('a queue whose disk is full while it notes what is consumed goes on, closes, and opens again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'full-disk-'));
  try {
    const parts = { directory, clock: systemClock, newId: randomUUID, fileSystem: nodeFileSystem, partitions: 1 };
    const queue = await openEmbeddedQueue({ ...parts, openLedger: fullDisk });
    const large = 'x'.repeat(1024 * 1024);
    for (let sequence = 1; sequence <= 9; sequence += 1) await queue.publish([append(sequence, large)]);
    const consumer = await queue.consume({ assigned: async () => new Map(), revoked: async () => undefined });
    const limits = { deliveries: 100, bytes: 16 * 1024 * 1024 };
    for (let taken = 0; taken < 9; ) {
      const batch = await consumer.take(limits);
      taken += batch.length;
      const last = batch.at(-1) ?? expect.unreachable();
      await consumer.acknowledge(new Map([[0, { next: last.position.offset + 1, digest: last.recordDigest() }]]));
    }
    expect(await queue.publish([append(10, 'y')])).toEqual([{ partition: 0, offset: 9 }]);
    await queue.close();
    await (await openEmbeddedQueue(parts)).close();
  } finally {
    await rm(directory, { recursive: true });
  }
});
