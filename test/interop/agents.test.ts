import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { startHoldingProxy } from '../support/holding-proxy.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { Agents } from './agents/agents.ts';
import { type Complaint, check } from './agents/check.ts';
import { comparable } from './agents/dumps.ts';
import { clock, runtimeOn } from './agents/runtime-options.ts';
import { recordedStories } from './agents/stories.ts';
import { Supervisor } from './agents/supervisor.ts';
import { RunningRuntime } from './runtime.ts';
import { dumpByUpstream, type UpstreamPlace } from './storage-program.ts';

const stories = recordedStories();

let redis: OwnRedis;
beforeAll(async () => {
  redis = await startRedis({ databases: '100' });
});
afterAll(() => redis[Symbol.asyncDispose]());

let databases = 0;
function freshRedis(): UpstreamPlace {
  databases += 1;
  return { layout: 'redis', place: `${redis.address}/${databases} macp` };
}

const dumpOf = (store: UpstreamPlace): Promise<readonly string[]> => dumpByUpstream('0.13.0', store);

/** Every story told once in an empty database of the plain Redis. */
async function told(): Promise<{ readonly agents: Agents; readonly dump: readonly string[] }> {
  const store = freshRedis();
  const agents = new Agents({ run: 'the same', clock, atOnce: 30 });
  await using runtime = await RunningRuntime.start(runtimeOn(store));
  agents.runtime = runtime.client;
  await agents.tell(stories);
  return { agents, dump: await dumpOf(store) };
}

test('agents tell the recorded sessions of every mode, and what they leave depends on nothing but what they said', async () => {
  const [one, other] = [await told(), await told()];
  expect(new Set(stories.map(({ mode }) => mode)).size).toBe(6);
  expect(one.agents.unsettled).toBe(0);
  expect(check(one.agents.carried, one.dump)).toEqual([]);
  expect(one.dump).toHaveLength(stories.length);
  expect(comparable(other.dump)).toEqual(comparable(one.dump));
});

describe('the check complains where', () => {
  let given: Awaited<ReturnType<typeof told>>;
  beforeAll(async () => {
    given = await told();
  });

  type Session = ReturnType<typeof parsed>[number];
  const parsed = (dump: readonly string[]) => dump.map((line) => JSON.parse(line));
  const open = (session: Session): boolean => session.log.length > 4;
  const compacted = (session: Session): boolean => session.log.length === 1 && session.session.state === 'Resolved';

  /** What it says when one session of those that `of` holds for was changed. */
  function complaintsAfter(of: (session: Session) => boolean, change: (session: Session) => void): Complaint[] {
    const sessions = parsed(given.dump);
    change(sessions.find(of));
    return [
      ...check(
        given.agents.carried,
        sessions.map((session) => JSON.stringify(session)),
      ),
    ];
  }

  test.each<[string, Complaint['wrong'], (session: Session) => boolean, (session: Session) => void]>([
    ['an acknowledged message is missing', 'lost', open, ({ log }) => log.splice(2, 1)],
    ['the last one is missing', 'lost', open, ({ log }) => log.pop()],
    ['a message is there twice', 'doubled', open, ({ log }) => log.splice(2, 0, log[1])],
    ['the last one is there twice', 'doubled', open, ({ log }) => log.push(log.at(-1))],
    ['two messages changed places', 'reordered', open, ({ log }) => log.splice(1, 2, log[2], log[1])],
    ['a payload is another one', 'changed', open, ({ log }) => log[1].raw_payload.push(7)],
    ['a message is there that nobody sent', 'foreign', open, ({ log }) => log.push({ ...log[1], message_id: 'x' })],
    ['the snapshot is of another state', 'state', open, ({ session }) => Object.assign(session, { state: 'Expired' })],
    ['there is no snapshot', 'state', open, (session) => Object.assign(session, { session: null })],
    ['a session is there that nobody began', 'foreign', open, (session) => Object.assign(session, { session_id: 'x' })],
    ['a whole log is missing', 'lost', open, ({ log }) => log.splice(0)],
    [
      'a receipt is missing',
      'receipt',
      ({ receipt }) => receipt !== null,
      (one) => Object.assign(one, { receipt: null }),
    ],
    ['a receipt is another one', 'receipt', ({ receipt }) => receipt !== null, ({ receipt }) => receipt.pop()],
    ['a message was lost before compaction', 'lost', compacted, ({ log }) => log[0].compacted_incoming_ordinals--],
    [
      'a message was doubled before compaction',
      'doubled',
      compacted,
      ({ log }) => log[0].compacted_incoming_ordinals++,
    ],
  ])('%s', (_, wrong, of, change) => {
    expect(complaintsAfter(of, change).map((complaint) => complaint.wrong)).toContain(wrong);
  });

  test('a session is missing, but not where it may have been begun by a request without an answer', () => {
    const [carried] = given.agents.carried;
    const without = given.dump.filter((line) => JSON.parse(line).session_id !== carried?.session);
    expect(new Set(check(given.agents.carried, without).map(({ wrong }) => wrong))).toEqual(new Set(['lost']));
    const asked = given.agents.carried.map((one) =>
      one === carried ? { ...one, acknowledged: 0, asked: 1, receipt: undefined } : one,
    );
    expect(check(asked, without)).toEqual([]);
  });
});

test('what a runtime on a plain Redis acknowledged survives its SIGKILL and that of the Redis, under load', async () => {
  await using server = await startRedis();
  const store: UpstreamPlace = { layout: 'redis', place: `${server.address} macp` };
  const agents = new Agents({ run: 'kills', clock, atOnce: 30 });
  await using supervisor = new Supervisor(runtimeOn(store), agents);
  const telling = agents.keepTelling(stories);
  await agents.more(300);
  await supervisor.kill();
  await agents.more(300);
  await server.kill();
  await server.restart();
  await agents.more(300);
  agents.stop();
  await telling;
  await supervisor.kill();
  await supervisor.started(4);
  expect(check(agents.carried, await dumpOf(store))).toEqual([]);
});

test('a plain Redis that answers after 700 ms has messages twice: agents send again what the runtime reported as failed', async () => {
  await using proxy = await startHoldingProxy(redis.port);
  const store = freshRedis();
  const behind: UpstreamPlace = { ...store, place: store.place.replace(`${redis.port}`, `${proxy.port}`) };
  const agents = new Agents({ run: 'slow', clock, atOnce: 30 });
  await using runtime = await RunningRuntime.start(runtimeOn(behind));
  agents.runtime = runtime.client;
  const telling = agents.keepTelling(stories);
  await agents.more(100);
  await proxy.holdAnswerTo('RPUSH');
  await delay(700);
  proxy.release();
  await agents.more(100);
  agents.stop();
  await telling;
  const complaints = check(agents.carried, await dumpOf(store));
  expect(complaints.map(({ wrong }) => wrong)).toContain('doubled');
});

test('one whose connection is cut in place of an answer has nothing twice, once a supervisor has started the runtime anew', async () => {
  await using proxy = await startCuttingProxy(redis.port);
  const store = freshRedis();
  const behind: UpstreamPlace = { ...store, place: store.place.replace(`${redis.port}`, `${proxy.port}`) };
  const agents = new Agents({ run: 'cut', clock, atOnce: 30 });
  await using supervisor = new Supervisor(runtimeOn(behind), agents);
  const telling = agents.keepTelling(stories);
  for (let starts = 1; starts <= 5; starts += 1) {
    await supervisor.started(starts);
    await agents.more(100);
    proxy.swallowAnswer();
  }
  await supervisor.started(6);
  agents.stop();
  await telling;
  await supervisor.kill();
  await supervisor.started(7);
  expect(agents.unsettled).toBeGreaterThan(0);
  expect(check(agents.carried, await dumpOf(store))).toEqual([]);
});
