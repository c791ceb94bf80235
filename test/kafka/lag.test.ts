import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { partitionOf } from '../../src/domain/partition.ts';
import type { ServiceStatus } from '../../src/ports/service.ts';
import { readNumbered } from '../../src/publisher/input-event.ts';
import { openKafkaQueue } from '../../src/queues/kafka/open-kafka-queue.ts';
import { freePort } from '../support/free-port.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { TopicProgram } from '../support/topic-program.ts';
import { queueOptions } from './kafka-queue-harness.ts';

const partitions = 4;
const token = '0123456789abcdef0123456789abcdef';

let program: TopicProgram;
/** Two workers of one group, and where the first one tells its metrics. */
let first: RunningProgram;
let second: RunningProgram;
let metricsUrl: string;

/** A session of each partition. */
const sessions = Array.from({ length: partitions }, (_, partition) => {
  const names = Array.from({ length: 100 }, (__, number) => `lag-${number}`);
  return names.find((name) => partitionOf(name as SessionId, partitions) === partition) ?? '';
});

/** How many commands each session was sent until now. */
const sent = sessions.map(() => 0);

/** NDJSON of so many commands more for the session of each partition. */
function events(counts: readonly number[]): string {
  const lines = counts.flatMap((count, partition) =>
    Array.from({ length: count }, () => {
      const sequence = (sent[partition] ?? 0) + 1;
      sent[partition] = sequence;
      const subject = sessions[partition] ?? '';
      const attributes = { id: `${subject}/1/${sequence}`, source: '//lag/1', type: 'macp.session.create.v1', subject };
      return JSON.stringify({ specversion: '1.0', ...attributes, macpsequence: sequence, macpepoch: 1 });
    }),
  );
  return lines.map((line) => `${line}\n`).join('');
}

async function publish(counts: readonly number[]): Promise<void> {
  const { code, stderr } = await program.run(['publish', '-'], { input: events(counts) });
  expect(code, stderr).toBe(0);
}

async function publishInTransaction(counts: readonly number[]): Promise<void> {
  const commands = events(counts)
    .trimEnd()
    .split('\n')
    .map((line) => readNumbered(Buffer.from(line, 'utf8')))
    .flatMap((event) => (event.kind === 'sendable' ? [event.command] : []));
  await using queue = await openKafkaQueue(queueOptions(program.kafka, program.topic));
  await using publisher = await queue.fencedPublisher('lag');
  await publisher.publish(commands);
  await publisher.settle();
}

async function status(): Promise<ServiceStatus['queue']> {
  const [found] = await program.json<ServiceStatus>(['status']);
  return found?.queue ?? null;
}

function lagsOf(queue: ServiceStatus['queue']): readonly number[] {
  return (queue?.partitions ?? []).map(({ end, persisted }) => end - persisted);
}

/** The lag by partition, as the first worker's metrics tell it. */
async function measured(): Promise<readonly number[]> {
  const answer = await fetch(metricsUrl, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  const found = [...text.matchAll(/^macp_persist_lag_commands\{partition="([0-9]+)"\} ([0-9]+)$/gm)];
  return found.sort(([, one], [, other]) => Number(one) - Number(other)).map(([, , lag]) => Number(lag));
}

async function untilMeasured(expected: readonly number[]): Promise<void> {
  while ((await measured()).join() !== expected.join()) await wait(20);
}

beforeAll(async () => {
  program = await TopicProgram.init(partitions);
  Object.assign(program.environment, { MACP_PERSIST_STORE: program.redis });
  const tokens = join(program.directory, 'tokens.json');
  writeFileSync(tokens, JSON.stringify({ tokens: [{ name: 'metrics', token, scopes: ['read'] }] }), { mode: 0o600 });
  const port = await freePort();
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  const listening = ['--http-port', `${port}`, '--http-tokens', tokens];
  first = program.start(['worker', '--data-dir', 'first', ...listening]);
  second = program.start(['worker', '--data-dir', 'second']);
  await Promise.all([first, second].map((worker) => worker.until((it) => it.partitions.length === 2)));
});
afterAll(() => program[Symbol.asyncDispose]());

test('nothing lags once all is persisted, the marks at the end of transactions included', async () => {
  await publishInTransaction([3, 3, 3, 3]);
  await untilMeasured([0, 0, 0, 0]);
  const queue = await status();
  expect(queue).toMatchObject({ lag: 0 });
  // The commands, the mark of their transaction behind them, and before them that of the one that opening gave up.
  expect(queue?.partitions.map(({ end, persisted }) => [end, persisted])).toEqual(Array(partitions).fill([5, 5]));
});

test('the lag of every partition is told, whoever works on it', async () => {
  second.signal('SIGSTOP');
  await publish([1, 2, 3, 4]);
  const lags = [1, 2, 3, 4].map((count, partition) => (first.partitions.includes(partition) ? 0 : count));
  await untilMeasured(lags);
  const queue = await status();
  expect(lagsOf(queue)).toEqual(lags);
  expect(queue?.lag).toBe(lags.reduce((sum, lag) => sum + lag, 0));
  const { stdout } = await program.run(['status']);
  const named = second.partitions
    .map((partition) => ({ partition, lag: lags[partition] ?? 0 }))
    .sort((one, other) => other.lag - one.lag)
    .map(({ partition, lag }) => `${lag} in partition ${partition}`);
  expect(stdout).toContain(`lag            ${queue?.lag} commands: ${named.join(', ')}\n`);
  second.signal('SIGCONT');
  await untilMeasured([0, 0, 0, 0]);
});

test('without any worker the lag is that of the store, in status and in the metrics of a service', async () => {
  await Promise.all([first.stop(), second.stop()]);
  await publishInTransaction([4, 0, 2, 0]);
  // Marks wait to be passed as well: that of the commands' transaction, and one in every partition of opening.
  expect(lagsOf(await status())).toEqual([6, 1, 4, 1]);
  const service = program.start(['serve']);
  metricsUrl = `${await service.url()}/metrics`;
  expect(await measured()).toEqual([6, 1, 4, 1]);
  const [worked] = await program.json<object>(['worker', '--exit-when-caught-up', '--log-level', 'error']);
  expect(worked).toMatchObject({ tally: { applied: 6 } });
  await untilMeasured([0, 0, 0, 0]);
});
