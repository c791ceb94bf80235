import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { anyLimits, startingAt, takeCount } from '../../src/conformance/queue-samples.ts';
import type { StoredPosition } from '../../src/domain/plan.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueuedDelivery } from '../../src/ports/queue.ts';
import { openEmbeddedQueue } from '../../src/queues/embedded/open-embedded-queue.ts';

const publisher = fileURLToPath(new URL('embedded-queue/publisher.mjs', import.meta.url));
/** `npm test` builds it first. */
const build = new URL('../../dist/src', import.meta.url).href;
const rounds = 24;

function open(directory: string): ReturnType<typeof openEmbeddedQueue> {
  return openEmbeddedQueue({ directory, fileSystem: nodeFileSystem, clock: systemClock, newId: randomUUID });
}

/** Lets a process publish, kills it some milliseconds after its first acknowledgement, and returns all of them. */
async function publishAndKill(directory: string, round: number, whileRunning: () => Promise<void>): Promise<string[]> {
  const child = spawn(process.execPath, [publisher, directory, String(round), build], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), ended]);
  await whileRunning();
  await wait((round * 17) % 90);
  child.kill('SIGKILL');
  await ended;
  assert.equal(child.signalCode, 'SIGKILL', 'the publisher ran until it was killed');
  return Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');
}

function line({ content, position }: QueuedDelivery): string {
  assert.ok(content.kind === 'numbered');
  return `${content.session} ${content.sequence} ${position.partition} ${position.offset}`;
}

test('whatever a killed process acknowledged is in the queue, where it said, in order', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-queue-kill-'));
  const positions = new Map<number, StoredPosition>();
  for (let round = 0; round < rounds; round += 1) {
    const acknowledged = await publishAndKill(directory, round, async () => {
      if (round === 0) await expect(open(directory)).rejects.toMatchObject({ code: 'QUEUE_LOCKED' });
    });
    await using queue = await open(directory);
    await using consumer = await queue.consume(startingAt(positions));
    let left = 0;
    for (const [partition, { end }] of await queue.bounds()) left += end - (positions.get(partition)?.next ?? 0);
    const deliveries = await takeCount(consumer, left, anyLimits);

    const found = new Set(deliveries.map(line));
    expect(acknowledged.filter((text) => !found.has(text))).toEqual([]);
    const last = new Map<string, number>();
    for (const { content, position } of deliveries) {
      assert.ok(content.kind === 'numbered');
      expect(position.offset).toBe(positions.get(position.partition)?.next ?? 0);
      expect(content.sequence).toBe((last.get(content.session) ?? 0) + 1);
      last.set(content.session, content.sequence);
      positions.set(position.partition, { next: position.offset + 1, digest: '' as StoredPosition['digest'] });
    }
    for (const delivery of deliveries) {
      const stored = positions.get(delivery.position.partition);
      if (stored?.next === delivery.position.offset + 1) {
        positions.set(delivery.position.partition, { next: stored.next, digest: delivery.recordDigest() });
      }
    }
    await consumer.acknowledge(positions);
  }
  await rm(directory, { recursive: true });
});
