import type { Command } from '../../src/domain/command.ts';
import type { Queue } from '../../src/ports/queue.ts';

const inFlight = 6;
const together = 3;

/** Publishes in order, several at a time, and tells how many of the commands, from the first on, are acknowledged. */
export async function publishInOrder(
  queue: Queue,
  commands: readonly Command[],
  acknowledged: (count: number) => void,
): Promise<void> {
  const waiting: Promise<unknown>[] = [];
  let done = 0;
  for (let start = 0; start < commands.length; start += together) {
    const part = commands.slice(start, start + together);
    const publish = queue.publish(part).then(() => {
      done += part.length;
      acknowledged(done);
    });
    publish.catch(() => undefined);
    waiting.push(publish);
    if (waiting.length >= inFlight) await waiting.shift();
  }
  await Promise.all(waiting);
}
