import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from '../../src/domain/command.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import type { Pipeline } from '../../src/pipeline/pipeline.ts';
import type { Queue } from '../../src/ports/queue.ts';
import { heldDeliveries, leadingHeld, type Promised } from './examine.ts';
import { commandsOf, type MainPath } from './main-path.ts';

const inFlight = 6;
const together = 3;

/**
 * Publishes what the queue does not hold yet of the lines, in order and several at a time, while a worker persists
 * it, until all is persisted. `promise` is told whatever was promised so far. A full disk is waited for, as the
 * contract says, without opening anything anew. Rejects with the first failure.
 */
export async function workThrough(
  path: MainPath,
  lines: readonly string[],
  promise: (promised: Promised) => void,
): Promise<void> {
  const held = leadingHeld(await heldDeliveries(path), lines);
  let promised: Promised = { acknowledged: held, committed: [] };
  const tell = (change: Partial<Promised>): void => {
    promised = { ...promised, ...change };
    promise(promised);
  };
  tell({});
  const pipeline = path.newPipeline();
  const positions = await path.store.readPositions(path.queue.source);
  const committed = new Map([...positions].map(([partition, { next }]) => [partition, next]));
  pipeline.on('committed', ({ positions: steps }) => {
    for (const { partition, to } of steps) committed.set(partition, to.next);
    tell({ committed: [...committed] });
  });
  const work = pipeline.run();
  work.catch(() => undefined);
  const publishing = publishInOrder(path.queue, commandsOf(lines.slice(held)), (count) =>
    tell({ acknowledged: held + count }),
  );
  // Whichever of the two fails first decides; the other is then stopped and its outcome is of no interest.
  try {
    await Promise.race([publishing.then(() => consumed(path.queue, pipeline, committed)), work]);
  } finally {
    await pipeline.stop();
    await Promise.allSettled([publishing]);
  }
  await work;
}

/** Resolves once everything that the queue holds is committed. */
async function consumed(queue: Queue, pipeline: Pipeline, committed: ReadonlyMap<number, number>): Promise<void> {
  for (;;) {
    const bounds = [...(await queue.bounds())];
    if (bounds.every(([partition, { start, end }]) => start === end || (committed.get(partition) ?? 0) >= end)) return;
    if (pipeline.state !== 'running' && pipeline.state !== 'waiting') return;
    await wait(1);
  }
}

async function publishInOrder(
  queue: Queue,
  commands: readonly Command[],
  acknowledged: (count: number) => void,
): Promise<void> {
  let done = 0;
  while (done < commands.length) {
    // What a full disk refused, and everything behind it, is not in the queue: go on from there.
    const outcomes = await Promise.allSettled(inGroups(commands, done).map((part) => publishPart(queue, part)));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') done += outcome.value;
      else if (isPersistenceError(outcome.reason, 'DISK_FULL')) break;
      else throw outcome.reason;
      acknowledged(done);
    }
  }

  async function publishPart(target: Queue, part: readonly Command[]): Promise<number> {
    await target.publish(part);
    return part.length;
  }
}

function inGroups(commands: readonly Command[], from: number): readonly (readonly Command[])[] {
  const parts: (readonly Command[])[] = [];
  for (let start = from; start < commands.length && parts.length < inFlight; start += together) {
    parts.push(commands.slice(start, start + together));
  }
  return parts;
}
