import { setTimeout as delay } from 'node:timers/promises';
import type { LocalKafka } from '../../scripts/services/kafka.mjs';
import { openQueue, queueAddress } from '../../src/compose/open.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { median } from '../support/contest.ts';
import { kafkaUrl, makeTopic, partitions } from '../support/kafka-topic.ts';
import { valuesOf } from '../support/pipeline.ts';
import { startKafka, startRedis } from '../support/services.ts';
import { SteadyPublisher } from '../support/steady-publisher.ts';
import { until, WorkerProcess } from '../support/worker-process.ts';

const topic = 'shared';
/** Milliseconds: the workers' own, as it is set by default. */
const sessionTimeout = valuesOf({})['kafka.sessionTimeout'];
/** Milliseconds for which a killed broker stays away. */
const away = 2_000;

/** Most milliseconds that each may take. */
const limits = { stop: 1_500, kill: sessionTimeout + 2_000, broker: 15_000 } as const;

/**
 * How long partitions lie idle when a worker of two that share a Redis ends, by SIGTERM or by SIGKILL, until the other has
 * persisted something of each of them; and when a broker is killed, from when it serves again.
 */
export async function takeOver(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('take-over');
  try {
    await using kafka = await startKafka(directory);
    await using redis = await startRedis(directory);
    const address = kafka.addresses();
    await makeTopic(address, topic);
    const values = valuesOf({ queue: kafkaUrl(address, topic) });
    await using queue = await openQueue(queueAddress(values), values);
    await using _publisher = new SteadyPublisher(queue);
    const flags = ['--queue', kafkaUrl(address, topic), '--store', `redis://127.0.0.1:${redis.port}/0`];
    const workers = () => new WorkerProcess([...flags, '--data-dir', directory]);
    const [stops, kills, returns]: number[][] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      await using staying = workers();
      stops?.push(await takenOver(staying, workers(), 'SIGTERM'));
      kills?.push(await takenOver(staying, workers(), 'SIGKILL'));
      returns?.push(await brokerBack(kafka, staying));
    }
    console.log(
      '\nTaking over between two workers of a group, milliseconds until something of each partition is persisted',
    );
    const told = [
      tell('from SIGTERM to the one', stops ?? [], limits.stop),
      tell(`from SIGKILL (session timeout ${sessionTimeout})`, kills ?? [], limits.kill),
      tell('from the return of a killed broker', returns ?? [], limits.broker),
    ];
    return told.every((met) => met);
  } finally {
    await removeDirectory(directory);
  }
}

/** From when `leaving` is told to go, or is killed, until `staying` has persisted something of each of its partitions. */
async function takenOver(
  staying: WorkerProcess,
  leaving: WorkerProcess,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<number> {
  await using ending = leaving;
  const isShared = () => ending.partitions.length === partitions / 2 && staying.partitions.length === partitions / 2;
  await until('the partitions shared out', () => isShared() && ending.hasCommitted(ending.partitions));
  const taken = ending.partitions;
  staying.forget();
  const ended = ending.end(signal);
  const milliseconds = await until('the partitions taken over', () => staying.hasCommitted(taken));
  await ended;
  return milliseconds;
}

async function brokerBack(kafka: LocalKafka, worker: WorkerProcess): Promise<number> {
  const [broker] = kafka.brokers;
  const { partitions: taken } = worker;
  await broker?.kill();
  await delay(away);
  worker.forget();
  await broker?.start();
  return await until('the partitions consumed again', () => worker.hasCommitted(taken));
}

function tell(what: string, all: readonly number[], most: number): boolean {
  const middle = median(all);
  const met = middle <= most;
  const each = all.map((value) => value.toFixed(0)).join(' ');
  console.log(
    `  ${what.padEnd(44)} ${middle.toFixed(0).padStart(6)} ms (${each}), asked for at most ${most}: ${met ? 'met' : 'MISSED'}`,
  );
  return met;
}
