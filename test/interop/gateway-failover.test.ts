import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodes } from '../../src/compose/exit-codes.ts';
import { untilGatewayOpen } from '../support/gateway-client.ts';
import { type OwnKafka, startBroker } from '../support/kafka.ts';
import { Agents } from './agents/agents.ts';
import { check } from './agents/check.ts';
import { Deployment } from './agents/deployment.ts';
import { clock, runtimeOn } from './agents/runtime-options.ts';
import { recordedStories, type Story } from './agents/stories.ts';
import { Supervisor } from './agents/supervisor.ts';
import type { SentMessage } from './runtime-client.ts';

const stories = recordedStories();

let kafka: OwnKafka;
beforeAll(async () => {
  kafka = await startBroker();
});
afterAll(() => kafka[Symbol.asyncDispose]());

/** A session of its own that stays open, and the message that somebody adds to it. */
const open: Story = {
  name: 'of the old pair',
  mode: 'ext.multi_round.v1',
  steps: stories.filter(({ steps }) => steps.length === 151).flatMap(({ steps }) => steps.slice(0, 5)),
};

function addition(session: string): SentMessage {
  const payload = Buffer.from('{"value":"too late"}');
  return { mode: open.mode, type: 'Contribute', id: 'too-late', session, sender: 'agent://lead', payload };
}

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'after %s of the active runtime and gateway the standby pair recovers every session and goes on; the old one writes no more',
  async (signal) => {
    await using deployment = await Deployment.apart(kafka.address);
    await untilGatewayOpen(deployment.running('gateway'));
    const standby = await deployment.startStandby();
    const agents = new Agents({ run: 'failover', clock, atOnce: 30 });
    await using first = new Supervisor(runtimeOn(deployment.gateway), agents);
    await agents.tell([open]);
    const telling = agents.keepTelling(stories);
    await agents.more(200);

    await using active = await first.leave();
    active.signal(signal);
    deployment.running('gateway').signal(signal);
    agents.runtime = undefined;
    await active.client[Symbol.asyncDispose]();
    const begun = agents.carried.filter(({ acknowledged }) => acknowledged > 0).length;
    await using supervisor = new Supervisor(runtimeOn(standby), agents);
    await agents.more(200);
    expect(supervisor.recovered[0]).toBeGreaterThanOrEqual(begun);

    if (signal === 'SIGSTOP') {
      deployment.running('gateway').signal('SIGCONT');
      active.signal('SIGCONT');
      await using old = active.connect();
      const [own] = agents.carried;
      const lost = { code: 'INTERNAL_ERROR' };
      await expect(old.send(addition(own?.session ?? ''))).rejects.toMatchObject(lost);
      const [start] = open.steps;
      if (start?.kind !== 'send') return expect.unreachable();
      await expect(old.send({ ...start.message, session: 'a-session-nobody-else-has' })).rejects.toMatchObject(lost);
      expect(await deployment.running('gateway').ended).toMatchObject({ code: exitCodes.fenced.code });
    }
    await agents.more(200);
    agents.stop();
    await telling;
    const starts = supervisor.recovered.length;
    await supervisor.kill();
    await supervisor.started(starts + 1);
    await supervisor[Symbol.asyncDispose]();
    expect(check(agents.carried, await deployment.dump())).toEqual([]);
  },
);
