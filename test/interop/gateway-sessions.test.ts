import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OwnKafka, startBroker } from '../support/kafka.ts';
import { startRedis } from '../support/redis.ts';
import { Agents } from './agents/agents.ts';
import { check } from './agents/check.ts';
import { Deployment } from './agents/deployment.ts';
import { comparable } from './agents/dumps.ts';
import { clock, runtimeOn } from './agents/runtime-options.ts';
import { recordedStories } from './agents/stories.ts';
import { Supervisor } from './agents/supervisor.ts';
import { RunningRuntime } from './runtime.ts';
import { dumpByUpstream, type UpstreamPlace } from './storage-program.ts';

const stories = recordedStories();

let kafka: OwnKafka;
let plain: readonly string[];
beforeAll(async () => {
  kafka = await startBroker();
  await using redis = await startRedis();
  const store: UpstreamPlace = { layout: 'redis', place: `${redis.address} macp` };
  await tell(store);
  plain = comparable(await dumpByUpstream('0.13.0', store));
});
afterAll(() => kafka[Symbol.asyncDispose]());

/** Has a runtime on this store, and agents, go through every story, always in the same sessions. */
async function tell(store: UpstreamPlace): Promise<{ readonly agents: Agents; readonly starts: number }> {
  const agents = new Agents({ run: 'by the gateway', clock, atOnce: 30 });
  await using supervisor = new Supervisor(runtimeOn(store), agents);
  await agents.tell(stories);
  return { agents, starts: supervisor.recovered.length };
}

/**
 * A deployment through whose gateway one runtime told every story, and what it left. Where one was cut off, because
 * an answer took too long on a busy machine, nothing is lost, but a log may not have been compacted: then again.
 */
async function told(start: () => Promise<Deployment>) {
  for (;;) {
    const deployment = await start();
    const { agents, starts } = await tell(deployment.gateway);
    const dump = await deployment.dump();
    expect(check(agents.carried, dump)).toEqual([]);
    const dispose = (): Promise<void> => deployment[Symbol.asyncDispose]();
    if (starts === 1) return { agents, dump, store: deployment.store, [Symbol.asyncDispose]: dispose };
    await dispose();
  }
}

const deployments: readonly (readonly [string, () => Promise<Deployment>])[] = [
  ['in one process, over a level store', () => Deployment.inOneProcess('level')],
  ['on Kafka, over a level store', () => Deployment.onKafka(kafka.address)],
  ['on Kafka, apart from the workers, over a shared store in Redis', () => Deployment.apart(kafka.address)],
];

test.each(deployments)('by a gateway %s, sessions leave what they leave in a plain Redis', async (_, start) => {
  await using left = await told(start);
  expect(comparable(left.dump)).toEqual(plain);
});

test.each(['file', 'rocksdb'] as const)(
  'another unmodified macp-runtime boots on the %s store that workers wrote of what a runtime sent to a gateway',
  async (layout) => {
    await using left = await told(() => Deployment.inOneProcess(layout));
    expect(comparable(left.dump)).toEqual(plain);
    const place = left.store.slice(`${layout}:`.length);
    await cp(place, `${place}-copy`, { recursive: true });
    const store = { layout, place: `${place}-copy` };
    await using runtime = await RunningRuntime.start(runtimeOn(store));
    expect(runtime.recovered).toBe(stories.length);
    expect(runtime.log.filter((line) => /skipping|failed|mismatch/.test(line))).toEqual([]);
    await runtime.stop();
    expect(check(left.agents.carried, await dumpByUpstream('0.13.0', store))).toEqual([]);
  },
);
