import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/domain/command.ts';
import type { SessionId, Writer } from '../../../src/domain/identifiers.ts';
import { type Line, splitLines } from '../../../src/domain/lines.ts';
import type { SourceId } from '../../../src/domain/plan.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';
import type { Queue } from '../../../src/ports/queue.ts';
import type { Store } from '../../../src/ports/store.ts';
import { publishAs } from '../../../src/publisher/publish-as.ts';
import { untilCaughtUp } from '../../../src/publisher/until-caught-up.ts';
import { createMemoryQueue } from '../../../src/queues/memory/memory-queue.ts';
import { StoreWatch } from '../../../src/read-side/store-watch.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { claim, create, entryText } from '../../support/commands.ts';

interface Running {
  readonly watch: StoreWatch;
  readonly queue: Queue;
  readonly store: Store;
  readonly pipeline: Pipeline;
}

/** A queue, a store and a worker between them. */
async function withWorker(use: (running: Running) => Promise<void>): Promise<void> {
  await using queue = createMemoryQueue({ source: 'memory:test' as SourceId, clock: systemClock });
  await using store = createMemoryStore();
  await using pipeline = new Pipeline({
    queue,
    store,
    clock: systemClock,
    limits: { deliveries: 10, bytes: 1 << 20 },
    cachedSessions: 100,
    backoff: { initial: 1, maximum: 10 },
  });
  await using watch = new StoreWatch({ store, clock: systemClock, polls: true });
  const work = pipeline.run();
  await use({ queue, store, watch, pipeline });
  await pipeline.stop();
  await work;
}

const event = (session: string, mark: string): string =>
  `{"specversion":"1.0","id":"x","source":"//x","type":"macp.log.append.v1","subject":"${session}","data":${entryText(mark)}}`;
const linesOf = (events: readonly string[]): AsyncIterable<Line> =>
  splitLines(
    (async function* () {
      yield Buffer.from(events.join('\n'));
    })(),
  );
const sessions = ['session-a', 'session-b'] as const;
const events = Array.from({ length: 1200 }, (_, index) => event(sessions[index % 2] ?? '', `m${index}`));
const publishingOf = ({ queue, watch }: Running, writer: string) => ({
  sink: queue,
  watch,
  clock: systemClock,
  writer: writer as Writer,
  signal: new AbortController().signal,
  onFull: () => undefined,
  onPublished: () => undefined,
});

/** `queue`, but before a claim of `session` is published, another writer's claim of the same epoch is. */
function outrun(queue: Queue, session: string, rival: string, times: number): Queue {
  let left = times;
  return new Proxy(queue, {
    get(target, name) {
      if (name !== 'publish') {
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      }
      return async (commands: readonly Command[]) => {
        for (const command of commands) {
          if (command.kind !== 'claim' || command.session !== session || left === 0) continue;
          left -= 1;
          await target.publish([claim(command.epoch, `${rival}/${left}`, session)]);
        }
        return target.publish(commands);
      };
    },
  });
}

describe('publishing as a writer', () => {
  test('claims each session once, numbers from its last sequence on, and ends when all is applied', async () => {
    await withWorker(async (running) => {
      await running.queue.publish([create(1, { session: 'session-b', writer: '//old' })]);
      await untilCaughtUp(running.queue, running.store, systemClock, new AbortController().signal);
      expect(await publishAs(linesOf(events), publishingOf(running, '//new'))).toEqual({ commands: 1200, sessions: 2 });
      const [first, second] = await running.store.readCursors(sessions as readonly string[] as readonly SessionId[]);
      expect(first).toMatchObject({ writer: '//new', epoch: 1, first: 1, last: 600, entries: 600, filed: 0 });
      expect(second).toMatchObject({ writer: '//new', epoch: 2, first: 2, last: 601, entries: 600, filed: 0 });
    });
  });

  test('goes above a claim that stood before its own', async () => {
    await withWorker(async (running) => {
      const queue = outrun(running.queue, 'session-a', '//rival', 3);
      await publishAs(linesOf(events), { ...publishingOf(running, '//new'), sink: queue });
      const [cursor] = await running.store.readCursors(['session-a' as SessionId]);
      expect(cursor).toMatchObject({ writer: '//new', epoch: 4, last: 600 });
    });
  });

  test('gives up where others claim on and on', async () => {
    await withWorker(async (running) => {
      const queue = outrun(running.queue, 'session-a', '//rival', 1000);
      await expect(
        publishAs(linesOf(events), { ...publishingOf(running, '//new'), sink: queue }),
      ).rejects.toMatchObject({
        code: 'WRITER_FENCED',
      });
    });
  });

  test('is told when another writer takes a session over meanwhile', async () => {
    await withWorker(async (running) => {
      let published = 0;
      const queue = new Proxy(running.queue, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (name !== 'publish') return typeof member === 'function' ? member.bind(target) : member;
          return async (commands: readonly Command[]) => {
            published += 1;
            // The claims, then the first numbered group; the second comes too late.
            if (published === 3) await target.publish([claim(9, '//rival', 'session-b')]);
            return target.publish(commands);
          };
        },
      });
      await expect(
        publishAs(linesOf(events), { ...publishingOf(running, '//new'), sink: queue }),
      ).rejects.toMatchObject({
        code: 'WRITER_FENCED',
      });
    });
  });

  test('is no failure when another writer takes a session over after everything was applied', async () => {
    await withWorker(async (running) => {
      const { store, watch } = running;
      const lines = linesOf(events.slice(0, 20));
      const applied = (queue: Queue) => untilCaughtUp(queue, store, systemClock, new AbortController().signal);
      const sink = {
        whenWritable: (signal?: AbortSignal) => running.queue.whenWritable(signal),
        async publish(commands: readonly Command[]) {
          const positions = await running.queue.publish(commands);
          if (commands[0]?.kind === 'claim') return positions;
          await applied(running.queue);
          await running.queue.publish([claim(9, '//rival', 'session-b')]);
          await applied(running.queue);
          return positions;
        },
      };
      const published = await publishAs(lines, { ...publishingOf(running, '//new'), sink });
      expect(published).toEqual({ commands: 20, sessions: 2 });
      const [cursor] = await watch.cursors(['session-b' as SessionId]);
      expect(cursor).toMatchObject({ writer: '//rival', last: 10, entries: 10 });
    });
  });

  test('is given up when its signal is aborted', async () => {
    await withWorker(async (running) => {
      await running.pipeline.stop();
      const signal = AbortSignal.timeout(30);
      await expect(publishAs(linesOf(events), { ...publishingOf(running, '//new'), signal })).rejects.toMatchObject({
        code: 'ABORTED',
      });
    });
  });
});
