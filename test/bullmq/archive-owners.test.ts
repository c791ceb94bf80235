import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { anyLimits, assertRejects, someCommands, someSessions } from '../../src/conformance/queue-samples.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import { nodeFileSystem } from '../../src/platform/node-file-system.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { FileSystem } from '../../src/ports/file-system.ts';
import { archivePlace } from '../../src/queues/bullmq/archive/archive-place.ts';
import { CommandArchive } from '../../src/queues/bullmq/archive/command-archive.ts';
import { openArchive } from '../../src/queues/bullmq/archive/open-archive.ts';
import { ShardArchiver } from '../../src/queues/bullmq/archive/shard-archiver.ts';
import { settleGuard } from '../../src/queues/bullmq/guard.ts';
import { bullmqKeys } from '../../src/queues/bullmq/keys.ts';
import { LayoutScripts } from '../../src/queues/bullmq/layout-scripts.ts';
import { RedisShard } from '../../src/queues/bullmq/redis-shard.ts';
import { ShardReader } from '../../src/queues/bullmq/shard-reader.ts';
import { RedisConnection } from '../../src/redis/connection.ts';
import { queueUse } from '../../src/redis/failures.ts';
import { openBullmqAt } from '../support/bullmq.ts';
import { hookedFiles } from '../support/hooked-files.ts';
import { useOneRedis } from '../support/one-redis.ts';
import { freshDirectory } from '../support/program.ts';
import { uniquePrefix } from '../support/redis.ts';
import { serverAt } from '../support/redis-harness.ts';

const redis = useOneRedis();
const place = { shard: 0, shards: 1, shardOf: () => 0 };
const rounds = 6;

/** A queue of one shard with some jobs, and an archive; its shard belongs to whomever it is given. */
async function oneShard() {
  const prefix = uniquePrefix();
  const directory = freshDirectory();
  const keys = bullmqKeys(prefix);
  {
    await using queue = await openBullmqAt(serverAt(redis.server.port), prefix, { shards: 1 });
    for (let round = 1; round <= rounds; round += 1) {
      await queue.publish(someCommands(someSessions.slice(0, 5), round, round));
    }
  }
  const address = serverAt(redis.server.port);
  const connection = await RedisConnection.open({ address, use: queueUse, answerTimeoutMs: 5_000 });
  const { id: queue } = await settleGuard(connection, keys, { newId: randomUUID });
  const scripts = new LayoutScripts(connection, keys, queue);
  const archive = archivePlace({ directory, fileSystem: nodeFileSystem }, { queue, shards: 1 });
  const id = await new CommandArchive(
    archive,
    { scripts, queue, shards: 1, continues: undefined, givenUp: undefined },
    randomUUID,
  ).settle();
  const archivers: ShardArchiver[] = [];
  return {
    jobs: await new ShardReader({ waiting: new RedisShard(scripts, 0), place }).readJobs(),
    give: (member: string) => redis.client.hset(`${keys.group}owners`, '0', member),
    archiver(member: string, fileSystem: FileSystem = nodeFileSystem): ShardArchiver {
      const archiver = new ShardArchiver({
        archive: { ...archive, fileSystem },
        id,
        place,
        retention: { ageMs: 1e9, bytes: 1e9 },
        segmentBytes: 2_000,
        clock: systemClock,
        newId: randomUUID,
        scripts,
        member,
        onFailed(error) {
          throw error;
        },
      });
      archivers.push(archiver);
      return archiver;
    },
    /** The offsets that the archive holds, read by itself, as they stand there. */
    async archived(): Promise<readonly number[]> {
      await using source = await openArchive({ directory: archive.directory, fileSystem: nodeFileSystem });
      const offsets: number[] = [];
      for await (const batch of source.replay({ limits: anyLimits })) {
        offsets.push(...batch.map(({ position }) => position.offset));
      }
      return offsets;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(archivers.map((archiver) => archiver.close()));
      connection.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Does it again where it is to be done again, as a feed does. */
async function insisting(step: () => Promise<void>): Promise<void> {
  await step().catch(async (error: unknown) => {
    if (!isPersistenceError(error, 'QUEUE_UNAVAILABLE')) throw error;
    await step();
  });
}

/** What resolves once it is told to. */
function latch(): readonly [opened: Promise<void>, open: () => void] {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [opened, () => open()];
}

const whole = Array.from({ length: rounds * 5 }, (_, offset) => offset);

test('an owner that sleeps at any effect while another one takes over archives nothing out of order and nothing twice', async () => {
  let slept = 0;
  for (let isPast = false; !isPast; slept += 1) {
    await using shard = await oneShard();
    const [woken, wake] = latch();
    const [sleeping, fallAsleep] = latch();
    let effects = 0;
    const files = hookedFiles(async (_, write) => {
      effects += 1;
      if (effects !== slept + 1) return;
      await write?.(effects * 31);
      fallAsleep();
      await woken;
    });
    await shard.give('old');
    const old = shard.archiver('old', files);
    const working = (async () => {
      await old.begin(0);
      await old.append(shard.jobs.slice(0, 2));
      await old.append(shard.jobs.slice(0, 4));
    })();
    const ended = working.then(
      () => undefined,
      (error: unknown) => error,
    );
    isPast = (await Promise.race([sleeping.then(() => false), ended.then(() => true)])) === true;

    await shard.give('young');
    const young = shard.archiver('young');
    await young.begin(0);
    await young.append(shard.jobs.slice(0, 3));
    wake();
    if (isPast) expect(await ended).toBeUndefined();
    else expect(await ended).toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    await assertRejects('QUEUE_UNAVAILABLE', old.append(shard.jobs));
    await insisting(() => young.append(shard.jobs.slice(0, 5)));
    await assertRejects('QUEUE_UNAVAILABLE', old.begin(0));
    await insisting(() => young.append(shard.jobs));
    expect(await shard.archived()).toEqual(whole);

    await shard.give('third');
    const third = shard.archiver('third');
    await third.begin(0);
    await third.append(shard.jobs);
    expect(await shard.archived()).toEqual(whole);
  }
  expect(slept).toBeGreaterThan(10);
});

test('whoever does not own a shard archives nothing of it', async () => {
  await using shard = await oneShard();
  await shard.give('somebody');
  await assertRejects('QUEUE_UNAVAILABLE', shard.archiver('nobody').begin(0));
  await shard.give('nobody');
  const owner = shard.archiver('nobody');
  await owner.begin(0);
  await owner.append(shard.jobs);
  expect(await shard.archived()).toEqual(whole);
});
