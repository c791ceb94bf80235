import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OwnKafka, startBroker } from '../support/kafka.ts';
import { Agents } from './agents/agents.ts';
import { check } from './agents/check.ts';
import { Deployment } from './agents/deployment.ts';
import { clock, runtimeOn } from './agents/runtime-options.ts';
import { recordedStories } from './agents/stories.ts';
import { Supervisor } from './agents/supervisor.ts';

const stories = recordedStories();

let kafka: OwnKafka;
beforeAll(async () => {
  kafka = await startBroker();
});
afterAll(() => kafka[Symbol.asyncDispose]());

/** A deployment under load, whose runtime is kept running. */
async function underLoad(
  deployment: Deployment,
  disturb: (supervisor: Supervisor, goOn: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const agents = new Agents({ run: 'kills', clock, atOnce: 30 });
  {
    await using supervisor = new Supervisor(runtimeOn(deployment.gateway), agents);
    const telling = agents.keepTelling(stories);
    const goOn = (): Promise<void> => agents.more(150);
    await goOn();
    await disturb(supervisor, goOn);
    agents.stop();
    await telling;
    const starts = supervisor.recovered.length;
    await supervisor.kill();
    await supervisor.started(starts + 1);
    const begun = agents.carried.filter(({ acknowledged }) => acknowledged > 0).length;
    expect(supervisor.recovered.at(-1)).toBeGreaterThanOrEqual(begun);
  }
  expect(check(agents.carried, await deployment.dump())).toEqual([]);
}

test('gateway, worker and queue in one process: what was acknowledged survives SIGKILL of the runtime and of them', async () => {
  await using deployment = await Deployment.inOneProcess('level');
  await underLoad(deployment, async (supervisor, goOn) => {
    for (let times = 0; times < 3; times += 1) {
      await supervisor.kill();
      await goOn();
      await deployment.replace('gateway');
      await goOn();
    }
  });
});

test('on Kafka, apart: what was acknowledged survives SIGKILL of runtime, gateway, workers and broker in turn', async () => {
  await using deployment = await Deployment.apart(kafka.address);
  await underLoad(deployment, async (supervisor, goOn) => {
    await supervisor.kill();
    await goOn();
    for (const role of ['gateway', 'worker one', 'worker two', 'gateway']) {
      await deployment.replace(role);
      await goOn();
    }
    await kafka.kill();
    await kafka.restart();
    await goOn();
    // At once, but for the broker.
    await Promise.all([supervisor.kill(), ...deployment.roles.map((role) => deployment.replace(role))]);
    await goOn();
  });
});
