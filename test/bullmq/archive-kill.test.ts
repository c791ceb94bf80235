import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/project.mjs';
import { anyLimits, assertDelivered, someCommands, someSessions } from '../../src/conformance/queue-samples.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueuedDelivery } from '../../src/ports/queue.ts';
import { openArchive } from '../../src/queues/bullmq/archive/open-archive.ts';
import { openLevelStore } from '../../src/stores/level/level-store.ts';
import { Random } from '../power-cut/random.ts';
import { runProgram } from '../power-cut/run.ts';
import { compileShim } from '../power-cut/shim.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { freshDirectory } from '../support/program.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const main = join(root, 'dist/src/cli/main.js');
/** Kills at the least, more with CRASH_FACTOR. */
const kills = 8 * Number(process.env['CRASH_FACTOR'] ?? 1);
const rounds = 30;

/** What is archived of each shard, and what of that the store has, as offsets behind. */
async function standings(archives: string, level: string) {
  const [folder] = existsSync(archives) ? readdirSync(archives) : [];
  if (folder === undefined || !existsSync(level)) return [];
  await using store = await openLevelStore({
    directory: level,
    files: nodeFileSystem,
    clock: systemClock,
    newId: randomUUID,
  });
  const [source] = await store.readSources();
  if (source === undefined) return [];
  await using archive = await openArchive({ directory: join(archives, folder), fileSystem: nodeFileSystem });
  const bounds = await archive.bounds();
  return [...(await store.readPositions(source))].map(([shard, { next }]) => ({
    stored: next,
    archived: bounds.get(shard)?.end ?? 0,
  }));
}

test('a worker that is killed at any effect on the disk leaves its archive ahead of its store, and whole in the end', async () => {
  const library = await compileShim();
  const [prefix, directory] = [uniquePrefix(), freshDirectory()];
  const [archives, level] = [join(directory, 'archive'), join(directory, 'level')];
  const commands = someCommands(someSessions.slice(0, 10), 1, rounds);
  const words = ['worker', '--exit-when-caught-up', '--data-dir', directory, '--store', `level:${level}`];
  const queue = ['--queue', `bullmq://127.0.0.1:${redis.server.port}/0?prefix=${prefix}`, '--bullmq-archive', archives];
  const worker = [
    main,
    ...words,
    ...queue,
    '--bullmq-lease',
    '1s',
    '--worker-batch-commands',
    '8',
    '--log-level',
    'error',
  ];
  const random = new Random(1);
  let killed = 0;
  for (let round = 0; round < rounds || killed < kills; round += 1) {
    await using live = await openBullmqAt(serverAt(redis.server.port), prefix);
    if (round < rounds) await live.publish(commands.slice(round * 10, round * 10 + 10));
    if (round % 3 !== 0) continue;
    const death = { directory, killAt: 20 + random.below(80), tear: random.below(2_000) };
    const outcome = await runProgram(worker, { library, options: death });
    if (outcome.signal === 'SIGKILL') killed += 1;
    else expect(outcome).toMatchObject({ code: 0, errors: '' });
    for (const { stored, archived } of await standings(archives, level)) {
      expect(archived).toBeGreaterThanOrEqual(stored);
    }
  }
  expect(await runProgram(worker, undefined)).toMatchObject({ code: 0, errors: '' });
  const [folder = ''] = readdirSync(archives);
  await using archive = await openArchive({ directory: join(archives, folder), fileSystem: nodeFileSystem });
  const deliveries: QueuedDelivery[] = [];
  for await (const batch of archive.replay({ limits: anyLimits })) deliveries.push(...batch);
  assertDelivered(deliveries, commands);
  rmSync(directory, { recursive: true });
});
