import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { queueAdapters } from '../../src/compose/adapters.ts';
import { openStore } from '../../src/compose/open.ts';
import { restore } from '../../src/compose/restore.ts';
import { storeAt } from '../../src/compose/store-url.ts';
import { createPipeline } from '../../src/compose/worker.ts';
import type { Values } from '../../src/configuration/settings.ts';
import type { NumberedCommand } from '../../src/domain/command.ts';
import type { Queue } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { StoreSource } from '../../src/transfer/store-source.ts';
import { compareStores } from '../../src/verify/compare-stores.ts';
import { append, create } from './commands.ts';
import { valuesWith } from './default-values.ts';

const sessions = 40;
const rounds = 60;

/** The commands of one round: one of each session. */
function round(number: number): readonly NumberedCommand[] {
  return Array.from({ length: sessions }, (_, index) => {
    const reign = { session: `session-${index}` };
    return number === 1 ? create(1, reign) : append(number, `m${number}${'x'.repeat(index * 20)}`, reign);
  });
}

/**
 * Backs a store up again and again while a worker fills it as fast as it can; restores every backup, lets a worker go on
 * from each, and compares what comes of it with the live store.
 */
export async function backUpUnderLoad(kind: 'level' | 'file' | 'rocksdb'): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'macp-persist-backup-'));
  const valuesIn = (directory: string): Values =>
    valuesWith({
      store: kind,
      'data-dir': join(parent, directory),
      'service-backup-directory': join(parent, 'backups'),
    });
  try {
    const values = valuesIn('live');
    await using queue = await openQueue(join(parent, 'queue'), values);
    await using live = await openStore(storeAt(kind, values), values);
    const backups = await fillAndBackUp(queue, live, values, join(parent, 'backups'));
    for (const backup of backups) {
      const restored = valuesIn(`restored-${backup}`);
      const report = await restore({ values: restored, backup, signal: never, onProgress: () => undefined });
      expect(report.store).toBe(live.identity.id);
      await using store = await openStore(storeAt(kind, restored), restored);
      await createPipeline(queue, store, restored).runUntilCaughtUp();
      await expectSame(live, store);
    }
  } finally {
    await rm(parent, { recursive: true });
  }
}

const never = new AbortController().signal;

async function openQueue(directory: string, values: Values): Promise<Queue> {
  const queue = await queueAdapters.embedded?.open({ kind: 'embedded', directory }, values, () => undefined);
  if (queue === undefined) throw new Error('there is no embedded queue');
  return queue;
}

/** The names of backups: made at the start, in the midst of the work, and while it ends. */
async function fillAndBackUp(queue: Queue, store: Store, values: Values, directory: string): Promise<string[]> {
  const pipeline = createPipeline(queue, store, values);
  const work = pipeline.run();
  const names: string[] = [];
  let commands = 0;
  const publishing = (async () => {
    for (let number = 1; number <= rounds; number += 1) {
      await queue.publish(round(number));
      commands += sessions;
    }
  })();
  for (let index = 0; index < 3; index += 1) {
    const atLeast = (index * rounds * sessions) / 4;
    while (pipeline.summary.deliveries < atLeast) await new Promise(setImmediate);
    await store.backup(join(directory, `backup-${index}`));
    names.push(`backup-${index}`);
  }
  await publishing;
  while (pipeline.summary.deliveries < commands) await new Promise(setImmediate);
  await pipeline.stop();
  await work;
  return names;
}

async function expectSame(live: Store, restored: Store): Promise<void> {
  const comparison = await compareStores(
    { first: new StoreSource(live), second: new StoreSource(restored), scope: 'everything' },
    {
      signal: never,
      onProgress: () => undefined,
      onDifference: async (difference) => expect(difference).toBeUndefined(),
    },
  );
  expect(comparison).toMatchObject({ sessions, differences: 0, rewordedSessions: 0 });
  expect(comparison.digests.second).toBe(comparison.digests.first);
}
