import { join } from 'node:path';
import { Agents } from '../../test/interop/agents/agents.ts';
import { Deployment } from '../../test/interop/agents/deployment.ts';
import { clock, runtimeOn } from '../../test/interop/agents/runtime-options.ts';
import { recordedStories, type Story } from '../../test/interop/agents/stories.ts';
import { Supervisor } from '../../test/interop/agents/supervisor.ts';
import { RunningRuntime } from '../../test/interop/runtime.ts';
import { benchDirectory, removeDirectory } from '../support/bare.ts';
import { median } from '../support/contest.ts';
import { startKafka, startRedis } from '../support/services.ts';

/** How many sessions there are to recover. */
const sizes = [50, 300, 1_000];

/** Milliseconds. */
interface Measured {
  /** From SIGKILL of the active pair until the standby one has acknowledged. */
  readonly failover: number;
  /** The runtime's own start on the same Redis, with nothing of ours between. */
  readonly plain: number;
}

/**
 * How long a failover takes with an unmodified macp-runtime 0.13.0, Kafka and a Redis that syncs everything: the active
 * pair of runtime and gateway is killed, the standby one started at that moment. Beside it the same runtime's start on
 * a plain Redis with the same sessions. Nothing is asked for.
 */
export async function failOver(rounds: number): Promise<boolean> {
  const directory = await benchDirectory('failover');
  try {
    await using kafka = await startKafka(directory);
    console.log('\nFailing over, until the standby macp-runtime has recovered every session and acknowledged');
    for (const sessions of sizes) {
      const all: Measured[] = [];
      for (let round = 0; round < rounds; round += 1) {
        all.push(await measured(kafka.addresses(), join(directory, `${sessions}-${round}`), sessions));
      }
      const told = [
        seconds(all.map(({ failover }) => failover)),
        `the runtime alone on a plain Redis ${seconds(all.map(({ plain }) => plain))}`,
      ];
      console.log(`  ${`${sessions}`.padStart(5)} sessions: ${told.join('; ')}`);
    }
    return true;
  } finally {
    await removeDirectory(directory);
  }
}

async function measured(kafka: string, directory: string, sessions: number): Promise<Measured> {
  await using redis = await startRedis(directory);
  const address = `redis://127.0.0.1:${redis.port}`;
  // Where the tests' deployments find theirs.
  process.env['MACP_PERSIST_TEST_REDIS'] = address;
  const failover = await failedOver(kafka, address, sessions);
  const began = performance.now();
  await using _alone = await RunningRuntime.start(runtimeOn({ layout: 'redis', place: `${address} macp` }));
  return { failover, plain: performance.now() - began };
}

async function failedOver(kafka: string, redis: string, sessions: number): Promise<number> {
  await using deployment = await Deployment.apart(kafka, redis);
  const agents = new Agents({ run: 'failover', clock, atOnce: 30 });
  await using first = new Supervisor(runtimeOn(deployment.gateway), agents);
  await agents.tell(storiesOf(sessions));
  await using active = await first.leave();
  const began = performance.now();
  active.signal('SIGKILL');
  deployment.running('gateway').signal('SIGKILL');
  agents.runtime = undefined;
  await using second = new Supervisor(runtimeOn(await deployment.startStandby()), agents);
  await agents.tell(storiesOf(1, 'after'));
  const milliseconds = performance.now() - began;
  const [recovered] = second.recovered;
  if (recovered !== sessions) throw new Error(`${recovered} of ${sessions} sessions were recovered`);
  return milliseconds;
}

/** So many sessions of up to ten messages, which stay open. */
function storiesOf(count: number, name = 'session'): readonly Story[] {
  const recorded = recordedStories();
  return Array.from({ length: count }, (_, index) => {
    const story = recorded[index % recorded.length];
    if (story === undefined) throw new RangeError('there are no stories');
    return { ...story, name: `${name} ${index}`, steps: story.steps.slice(0, 10) };
  });
}

function seconds(all: readonly number[]): string {
  const [middle, ...each] = [median(all), ...all].map((milliseconds) => (milliseconds / 1000).toFixed(1));
  return `${middle} s (${each.join(' ')})`;
}
