import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readContents } from '../../src/conformance/store-contents.ts';
import { PlanBuilder, someDeadLetter, someParked } from '../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { type OwnRedis, startRedis, uniquePrefix } from '../support/redis.ts';
import { dumpKeys, rawClient } from '../support/redis-contents.ts';
import { openAt, serverAt } from '../support/redis-harness.ts';

const cleo = 'cleo' as SessionId;
let redis: OwnRedis;
let client: Redis;
beforeAll(async () => {
  redis = await startRedis();
  client = rawClient(redis.port);
});
afterAll(async () => {
  client.disconnect();
  await redis[Symbol.asyncDispose]();
});

function entry(kind = 'Incoming', more: object = {}): Buffer {
  const required = { message_id: 'm', received_at_ms: 1, sender: 's', message_type: 'T', raw_payload: [] };
  return Buffer.from(JSON.stringify({ ...required, entry_kind: kind, ...more }));
}

/** A prefix with two sessions as this project leaves them: one with a log, a snapshot and something parked. */
async function leaveStore(): Promise<string> {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.port), prefix);
  const builder = new PlanBuilder();
  const log = [entry(), entry(), entry()];
  await store.commit(
    builder
      .create(ada)
      .append(ada, ...log)
      .save(ada, bytes('{"a":1}'))
      .build(),
  );
  await store.commit(
    builder.append(bob, entry()).park(ada, someParked(9)).file(ada, someDeadLetter('one', ada)).build(),
  );
  return prefix;
}

const changes: readonly (readonly [string, SessionId, (prefix: string) => Promise<unknown>, object])[] = [
  [
    'a log that is longer',
    ada,
    (prefix) => client.rpush(`${prefix}:log:ada`, entry()),
    { entries: 4, presence: 'known' },
  ],
  [
    'a log that was compacted',
    ada,
    (prefix) =>
      client
        .multi()
        .del(`${prefix}:log:ada`)
        .rpush(`${prefix}:log:ada`, entry('Checkpoint', { compacted_incoming_ordinals: 4 }))
        .exec(),
    { entries: 1, compactionBase: 4, presence: 'known' },
  ],
  [
    'a session that is new',
    cleo,
    (prefix) => client.multi().sadd(`${prefix}:sessions`, 'cleo').rpush(`${prefix}:log:cleo`, entry()).exec(),
    { entries: 1, presence: 'known', version: 0, epoch: 0, last: 0 },
  ],
  [
    'a receipt',
    bob,
    (prefix) => client.set(`${prefix}:receipt:bob`, 'r', 'NX'),
    { entries: 1, hasReceipt: true, presence: 'known' },
  ],
  [
    'a session that was deleted',
    ada,
    (prefix) =>
      client.multi().del(`${prefix}:session:ada`, `${prefix}:log:ada`).srem(`${prefix}:sessions`, 'ada').exec(),
    { entries: 0, presence: 'deleted', parkedCommands: 1 },
  ],
];

describe.each(changes)('%s', (_, session, change, expected) => {
  test('written by something else after us is refused by its name, and nothing is changed by that', async () => {
    const prefix = await leaveStore();
    await change(prefix);
    const before = await dumpKeys(client, prefix);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const opening = openAt(serverAt(redis.port), prefix);
      await expect(opening).rejects.toMatchObject({ code: 'STORE_CHANGED_ELSEWHERE' });
      await expect(opening).rejects.toThrow(`session "${session}" `);
      await expect(opening).rejects.toThrow('--adopt-changes');
    }
    expect(await dumpKeys(client, prefix)).toEqual(before);
  });

  test('is adopted where that is said: cursors keep their numbers and take the log as it is', async () => {
    const prefix = await leaveStore();
    const first = await openAt(serverAt(redis.port), prefix);
    const before = await readContents(first);
    await first.close();
    await change(prefix);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await using store = await openAt(serverAt(redis.port), prefix, { adoptChanges: true });
      expect(store.identity).toEqual(first.identity);
      const [cursor] = await store.readCursors([session]);
      expect(cursor).toMatchObject(expected);
      const earlier = before.cursors.find(([id]) => id === session)?.[1];
      if (earlier !== undefined) {
        const { version, last, recent } = earlier;
        expect(cursor).toMatchObject({ version: version + 1, last, recent });
      }
      const after = await readContents(store);
      expect(after.filed).toEqual(before.filed);
      const others = (contents: typeof before) => contents.cursors.filter(([id]) => id !== session);
      expect(others(after)).toEqual(others(before));
      const known = after.cursors.filter(([, { presence }]) => presence === 'known').length;
      expect(after.totals).toEqual({ ...before.totals, sessions: known });
    }
    await using again = await openAt(serverAt(redis.port), prefix);
    expect((await again.readCursors([session]))[0]).toMatchObject(expected);
  });
});

test('a store that others commit to while it is opened is not taken for one that was changed elsewhere', async () => {
  const prefix = uniquePrefix();
  await using store = await openAt(serverAt(redis.port), prefix);
  const builder = new PlanBuilder();
  let isDone = false;
  const committing = (async () => {
    for (let turn = 0; !isDone; turn += 1) {
      const session = `session-${turn % 700}` as SessionId;
      const plan = turn % 5 === 4 ? builder.remove(session) : builder.create(session).append(session, entry());
      await store.commit(plan.build());
    }
  })();
  for (let attempt = 0; attempt < 30; attempt += 1) await (await openAt(serverAt(redis.port), prefix)).close();
  isDone = true;
  await committing;
});
