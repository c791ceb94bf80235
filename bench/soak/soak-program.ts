import { setTimeout as delay } from 'node:timers/promises';
import { buildSettings } from '../../src/compose/settings.ts';
import { createLogger, Worker } from '../../src/compose/worker.ts';
import { resolveConfiguration } from '../../src/configuration/resolve.ts';
import type { Command } from '../../src/domain/command.ts';
import { isPersistenceError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { deadLetterCount } from '../../src/domain/rule/tally.ts';
import { sessionIds } from '../support/entries.ts';
import { lives } from './workload.ts';

/**
 * `soak-program DIRECTORY COMMANDS SESSIONS`: publishes and persists in one process, as `macp-persist start` does, with
 * a backlog and a retention that are reached over and over. A line of JSON a second tells how many are persisted; the
 * last one what became of them.
 */
const [directory = '', commands = '', sessions = ''] = process.argv.slice(2);
const publishers = 8;
const publishedTogether = 512;

const flags = new Map([
  ['data-dir', directory],
  ['embedded-retention-size', '128MiB'],
  ['embedded-maximum-backlog', '64MiB'],
  ['log-level', 'warn'],
]);
const { values } = resolveConfiguration(buildSettings(), {
  flags,
  environment: {},
  file: undefined,
  otherVariables: [],
  mistakes: [],
});
await using worker = await Worker.open({ values, logger: createLogger(values) });
const { queue, pipeline } = worker;
const ending = new AbortController();
const work = worker.runUntil(ending.signal);
const ids = sessionIds(Number(sessions));
const each = Math.ceil(Number(commands) / publishers);
const shares = Array.from({ length: publishers }, (_, share) => ids.filter((_, index) => index % publishers === share));
const published = Promise.all(shares.map((share) => publish(share, each)));
const report = setInterval(() => tell({ persisted: pipeline.summary.deliveries }), 1_000);
await Promise.race([published, work]);
while (pipeline.summary.deliveries < each * publishers) await Promise.race([delay(100), work]);
clearInterval(report);
ending.abort();
const { deliveries, tally } = await work;
tell({
  persisted: deliveries,
  duplicates: tally.duplicates,
  claimed: tally.claimed,
  deadLetters: deadLetterCount(tally),
});

/** One after the other: the commands of a session must not overtake each other. */
async function publish(share: readonly SessionId[], count: number): Promise<void> {
  const source = lives(share);
  for (let sent = 0; sent < count; ) {
    const chunk: Command[] = [];
    while (chunk.length < Math.min(publishedTogether, count - sent)) chunk.push(source.next().value);
    await publishPatiently(chunk);
    sent += chunk.length;
  }
}

async function publishPatiently(chunk: readonly Command[]): Promise<void> {
  for (;;) {
    try {
      await queue.publish(chunk);
      return;
    } catch (error) {
      if (!isPersistenceError(error, 'QUEUE_FULL')) throw error;
      await queue.whenWritable();
    }
  }
}

function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
