import { describe, expect, test } from 'vitest';
import { PlanBuilder, someDeadLetter, someParked, somePosition } from '../../../src/conformance/store-plan-builder.ts';
import { ada, bob, bytes, entries, source } from '../../../src/conformance/store-samples.ts';
import { PersistenceError } from '../../../src/domain/errors.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { encodeMessage } from '../../../src/domain/message.ts';
import { encodeBinary } from '../../../src/domain/wire/binary.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts';
import { StoreSource } from '../../../src/transfer/store-source.ts';
import { compareStores } from '../../../src/verify/compare-stores.ts';
import type { Difference } from '../../../src/verify/difference.ts';
import type { Scope } from '../../../src/verify/scope.ts';
import { append } from '../../support/commands.ts';
import { fullStore } from '../../support/transfer-laws.ts';

async function compared(first: Store, second: Store, scope: Scope = 'everything') {
  const differences: Difference[] = [];
  const comparison = await compareStores(
    { first: new StoreSource(first), second: new StoreSource(second), scope },
    {
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onDifference: async (difference) => void differences.push(difference),
    },
  );
  return { ...comparison, told: differences.map(({ session, part, relation }) => [session, part, relation]) };
}

async function storeWith(build: (builder: PlanBuilder) => PlanBuilder): Promise<Store> {
  const store = createMemoryStore();
  await store.commit(build(new PlanBuilder()).build());
  return store;
}

describe('two stores', () => {
  test('are the same where they hold the same, and then their digests are', async () => {
    const { told, digests, sessions } = await compared(await fullStore('one'), await fullStore('other'));
    expect(told).toEqual([]);
    expect(digests.first).toBe(digests.second);
    expect(sessions).toBeGreaterThan(20);
  });

  test('differ in whatever one of them lacks', async () => {
    const all = (builder: PlanBuilder): PlanBuilder =>
      builder.append(ada, ...entries(0, 3)).save(ada, bytes('{"a":1}'));
    const store = await storeWith(all);
    const cases: [(builder: PlanBuilder) => PlanBuilder, readonly unknown[]][] = [
      [(builder) => builder.append(bob, ...entries(0, 1)), [[bob, 'session', 'only in second']]],
      [(builder) => builder.save(ada, bytes('{"a":2}')), [[ada, 'snapshot', 'changed']]],
      [
        (builder) => builder.receipt(ada, bytes('r')),
        [
          [ada, 'receipt', 'only in second'],
          [ada, 'cursor', 'changed'],
        ],
      ],
      [
        (builder) => builder.anchor(ada, bytes('a')),
        [
          [ada, 'anchor', 'only in second'],
          [ada, 'cursor', 'changed'],
        ],
      ],
      [(builder) => builder.cursor(ada, { halted: true }), [[ada, 'cursor', 'changed']]],
      [
        (builder) => builder.park(ada, someParked(9)),
        [
          [ada, 'cursor', 'changed'],
          [ada, 'cursor', 'changed'],
          [ada, 'parked command', 'only in second'],
        ],
      ],
      [
        (builder) => builder.file(ada, someDeadLetter('one', ada)),
        [
          [ada, 'cursor', 'changed'],
          [ada, 'dead letter', 'only in second'],
        ],
      ],
      [
        (builder) => builder.unreadable(someDeadLetter('two', undefined)),
        [[undefined, 'dead letter', 'only in second']],
      ],
    ];
    for (const [more, told] of cases) {
      const other = await storeWith((builder) => more(all(builder)));
      const found = await compared(store, other);
      expect(found.told).toEqual(told);
      expect(found.digests.first).not.toBe(found.digests.second);
      expect((await compared(other, other)).told).toEqual([]);
    }
  });

  test('say the same where a map was only written in another order', async () => {
    const first = await storeWith((builder) =>
      builder.save(ada, bytes('{"seen_message_ids":["x","y"],"a":{"b":1,"c":2}}')),
    );
    const second = await storeWith((builder) =>
      builder.save(ada, bytes('{"a":{"c":2,"b":1},"seen_message_ids":["y","x"]}')),
    );
    expect(await compared(first, second)).toMatchObject({ told: [], differentSessions: 0, rewordedSessions: 1 });
  });

  test('may have come to the same by other positions and in more commits', async () => {
    const parked = someParked(9, encodeMessage(encodeBinary(append(9, 'nine', { session: ada }))));
    const first = await storeWith((builder) => builder.append(ada, ...entries(0, 2)).park(ada, parked));
    const builder = new PlanBuilder();
    const second = createMemoryStore();
    await second.commit(
      builder
        .append(ada, ...entries(0, 1))
        .position(source, 0, somePosition(1))
        .build(),
    );
    await second.commit(builder.append(ada, ...entries(1, 2)).build());
    await second.commit(builder.park(ada, { ...parked, position: { partition: 3, offset: 77 } }).build());
    expect(await compared(first, second)).toMatchObject({ told: [], rewordedSessions: 1 });
  });

  test('are compared by their content alone where one of them has no numbers', async () => {
    const first = await storeWith((builder) =>
      builder
        .append(ada, ...entries(0, 2))
        .cursor(ada, { halted: true })
        .remove(bob),
    );
    const second = await storeWith((builder) => builder.append(ada, ...entries(0, 2)));
    expect((await compared(first, second)).told).not.toEqual([]);
    const { told, digests } = await compared(first, second, 'content');
    expect(told).toEqual([]);
    expect(digests.first).toBe(digests.second);
  });

  test('are told apart without end, and no more than twenty times a session', async () => {
    const first = await storeWith((builder) => builder.append(ada, ...entries(0, 200)));
    const second = await storeWith((builder) => builder.append(ada, ...entries(500, 700)));
    const { told } = await compared(first, second);
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toEqual([ada, 'session', 'changed']);
  });

  test('are read as of one moment each, however often a session changes meanwhile', async () => {
    const first = await storeWith((builder) => builder.append(ada, ...entries(0, 2)).park(ada, someParked(9)));
    let failures = 3;
    const moving: Store = new Proxy(first, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'readParkedHeaders' || failures === 0) return value.bind(target);
        failures -= 1;
        return () => Promise.reject(new PersistenceError('VIEW_EXPIRED', 'changed on purpose'));
      },
    });
    expect((await compared(first, moving)).told).toEqual([]);
    expect(failures).toBe(0);
  });

  test('are compared no further once the caller gives up', async () => {
    const store = await fullStore();
    const comparing = compareStores(
      { first: new StoreSource(store), second: new StoreSource(store), scope: 'everything' },
      { signal: AbortSignal.abort(), onProgress: () => undefined, onDifference: async () => undefined },
    );
    await expect(comparing).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

test('what belongs to a session that neither of them has is nothing', async () => {
  const empty = createMemoryStore();
  expect(await compared(empty, createMemoryStore())).toMatchObject({ told: [], sessions: 0 });
  expect((await compared(empty, await storeWith((builder) => builder.create('new' as SessionId)))).told).toEqual([
    ['new', 'session', 'only in second'],
  ]);
});
