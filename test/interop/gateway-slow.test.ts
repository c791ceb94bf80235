import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { compileHeldDisk, HeldDisk } from '../support/held-disk.ts';
import { startHoldingProxy } from '../support/holding-proxy.ts';
import { startBroker } from '../support/kafka.ts';
import { startRedis } from '../support/redis.ts';
import { Agents } from './agents/agents.ts';
import { check } from './agents/check.ts';
import { Deployment } from './agents/deployment.ts';
import { clock, runtimeOn } from './agents/runtime-options.ts';
import { recordedStories } from './agents/stories.ts';
import { Supervisor } from './agents/supervisor.ts';

const stories = recordedStories();

/** Something that a gateway waits for, and that can be made to take its time. */
interface Holdable {
  hold(): void;
  release(): void;
}

/** Under load, has one answer after the other take 2 s: while sessions are begun and carried on, and while a runtime boots. */
async function answersTakeTwoSeconds(deployment: Deployment, slow: Holdable): Promise<void> {
  const agents = new Agents({ run: 'slow', clock, atOnce: 30 });
  {
    await using supervisor = new Supervisor(runtimeOn(deployment.gateway), agents);
    const telling = agents.keepTelling(stories);
    await agents.more(50);
    for (const [after, boots] of [
      [1, false],
      [70, false],
      [230, true],
      [11, false],
    ] as const) {
      await agents.more(after);
      slow.hold();
      if (boots) await supervisor.kill();
      await delay(2_000);
      slow.release();
    }
    await agents.more(100);
    agents.stop();
    await telling;
    expect(agents.unsettled).toBeGreaterThan(0);
    const starts = supervisor.recovered.length;
    await supervisor.kill();
    await supervisor.started(starts + 1);
  }
  expect(check(agents.carried, await deployment.dump())).toEqual([]);
}

test('a broker that answers after 2 s loses no acknowledged message and doubles none', async () => {
  await using proxy = await startHoldingProxy();
  await using kafka = await startBroker({
    properties: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` },
  });
  proxy.leadTo(Number(kafka.address.split(':')[1]));
  await using deployment = await Deployment.apart(kafka.address);
  await answersTakeTwoSeconds(deployment, proxy);
});

test('a store that answers after 2 s loses no acknowledged message and doubles none', async () => {
  await using redis = await startRedis();
  await using proxy = await startHoldingProxy(redis.port);
  await using kafka = await startBroker();
  await using deployment = await Deployment.apart(kafka.address, `redis://127.0.0.1:${proxy.port}`);
  await answersTakeTwoSeconds(deployment, proxy);
});

test.each(['queue', 'store'])(
  'a %s whose syncs take 2 s loses no acknowledged message and doubles none',
  async (part) => {
    const directory = mkdtempSync(join(tmpdir(), 'interop-held-'));
    try {
      const disk = new HeldDisk(compileHeldDisk(directory), join(directory, part));
      await using deployment = await Deployment.inOneProcess('level', disk.environment, directory);
      await answersTakeTwoSeconds(deployment, { hold: () => disk.hold('hang'), release: () => disk.free() });
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
