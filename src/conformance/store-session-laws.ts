import assert from 'node:assert/strict';
import type { SessionId } from '../domain/identifiers.ts';
import type { Store } from '../ports/store.ts';
import { base64, readContents, readView } from './store-contents.ts';
import type { StoreLawDefinition, StoreUnderTest } from './store-law.ts';
import { PlanBuilder, someDeadLetter, someParked } from './store-plan-builder.ts';
import { ada, assertLog, bob, bytes, entries, hostileIds, oddBytes } from './store-samples.ts';

export const sessionLaws: readonly StoreLawDefinition[] = [
  {
    name: 'snapshot, receipt and anchor come back byte for byte, are replaced and removed',
    async check({ store }) {
      const builder = new PlanBuilder();
      for (const size of [10, 0, 300_000, 1]) {
        const value = oddBytes(size);
        await store.commit(builder.save(ada, value).receipt(ada, value).anchor(ada, value).build());
        const expected = { snapshot: base64(value), receipt: base64(value), anchor: base64(value), log: [] };
        assert.deepEqual(await viewOf(store, ada), expected);
      }
      await store.commit(builder.receipt(ada, 'remove').anchor(ada, 'remove').build());
      const kept = { snapshot: base64(oddBytes(1)), receipt: undefined, anchor: undefined, log: [] };
      assert.deepEqual(await viewOf(store, ada), kept);
    },
  },
  {
    name: 'a session without a snapshot or entries exists once it is known',
    async check({ store }) {
      await store.commit(new PlanBuilder().create(ada).build());
      assert.deepEqual(await store.listSessions({ limit: 10 }), [ada]);
      await assertLog(store, ada, []);
    },
  },
  {
    name: 'a session of which only parked commands or dead letters are known does not exist, but has a cursor',
    async check({ store }) {
      const builder = new PlanBuilder().park(ada, someParked(2)).file(bob, someDeadLetter('d', bob));
      await store.commit(builder.build());
      assert.deepEqual(await store.listSessions({ limit: 10 }), []);
      assert.equal(await store.openSession(ada), undefined);
      const cursors = await store.listCursors({ limit: 10 });
      assert.deepEqual(
        cursors.map(([session, { presence }]) => [session, presence]),
        [
          [ada, 'unknown'],
          [bob, 'unknown'],
        ],
      );
    },
  },
  {
    name: 'what a plan stores of a session behind its end is kept, and is there when it starts anew',
    async check({ store }) {
      const builder = new PlanBuilder().create(ada).receipt(ada, bytes('before'));
      await store.commit(builder.build());
      await store.commit(builder.remove(ada).anchor(ada, bytes('behind')).build());
      await store.commit(builder.create(ada).build());
      const expected = { snapshot: undefined, receipt: undefined, anchor: base64(bytes('behind')), log: [] };
      assert.deepEqual(await viewOf(store, ada), expected);
    },
  },
  {
    name: 'a deleted session is gone but for its cursor, at every point of its life, and can start anew',
    async check(subject) {
      const steps: readonly ((builder: PlanBuilder) => PlanBuilder)[] = [
        (builder) => builder.create(ada),
        (builder) => builder.append(ada, ...entries(0, 3)),
        (builder) => builder.save(ada, bytes('{}')).receipt(ada, bytes('r')),
        (builder) => builder.replace(ada, ...entries(7, 9)),
        (builder) => builder.anchor(ada, bytes('a')),
        (builder) => builder.remove(ada),
      ];
      const builder = new PlanBuilder().append(bob, ...entries(0, 1));
      await subject.store.commit(builder.build());
      for (let life = 1; life <= steps.length; life += 1) {
        for (const step of steps.slice(0, life)) await subject.store.commit(step(builder).build());
        await subject.store.commit(builder.remove(ada).build());
        await assertGone(subject, ada);
        await subject.store.commit(builder.append(ada, ...entries(90, 92)).build());
        const anew = { snapshot: undefined, receipt: undefined, anchor: undefined, log: entries(90, 92).map(base64) };
        assert.deepEqual(await viewOf(subject.store, ada), anew);
        await subject.store.commit(builder.remove(ada).build());
      }
      await assertLog(subject.store, bob, entries(0, 1));
    },
  },
  {
    name: 'deleting and starting anew in one commit leaves only what came after',
    async check({ store }) {
      const builder = new PlanBuilder();
      await store.commit(
        builder
          .append(ada, ...entries(0, 3))
          .save(ada, bytes('old'))
          .anchor(ada, bytes('old'))
          .build(),
      );
      await store.commit(
        builder
          .remove(ada)
          .append(ada, ...entries(5, 6))
          .anchor(ada, bytes('new'))
          .build(),
      );
      const expected = {
        snapshot: undefined,
        receipt: undefined,
        anchor: base64(bytes('new')),
        log: entries(5, 6).map(base64),
      };
      assert.deepEqual(await viewOf(store, ada), expected);
    },
  },
  {
    name: 'hostile session ids are kept apart, and are listed in UTF-8 byte order',
    async check({ store }) {
      const builder = new PlanBuilder();
      for (const [index, session] of hostileIds.entries()) {
        builder.append(session, ...entries(index, index + 2)).save(session, bytes(`{"session":${index}}`));
        builder.park(session, someParked(index + 5)).file(session, someDeadLetter(`letter ${index}`, session));
      }
      await store.commit(builder.build());
      for (const session of hostileIds.filter((_, index) => index % 3 === 0)) builder.replace(session);
      await store.commit(builder.build());
      const { sessions, cursors, views, parkedHeaders, filed } = await readContents(store, 4);
      assert.deepEqual(sessions, hostileIds);
      assert.deepEqual(
        cursors.map(([session]) => session),
        hostileIds,
      );
      for (const [index, session] of hostileIds.entries()) {
        const log = index % 3 === 0 ? [] : entries(index, index + 2);
        assert.deepEqual(views[session]?.log, log.map(base64));
        assert.equal(views[session]?.snapshot, base64(bytes(`{"session":${index}}`)));
        assert.deepEqual(
          parkedHeaders[session]?.map(({ sequence }) => sequence),
          [index + 5],
        );
        assert.equal((await store.readFiled(session, { limit: 10 })).length, 1);
      }
      assert.equal(filed.length, hostileIds.length);
    },
  },
  {
    name: 'lists are paged: any limit, after any key, also one that is not there',
    async check({ store }) {
      const ids = ['b', 'd', 'f', 'h'] as SessionId[];
      const builder = new PlanBuilder();
      for (const id of ids) builder.create(id);
      await store.commit(builder.remove('d' as SessionId).build());
      const known = ids.filter((id) => id !== 'd');
      for (const after of [undefined, 'a', 'b', 'c', 'd', 'e', 'h', 'hh', 'z'] as (SessionId | undefined)[]) {
        for (const limit of [1, 2, 3, 4, 100]) {
          const behind = (id: SessionId) => after === undefined || id > after;
          assert.deepEqual(await store.listSessions({ after, limit }), known.filter(behind).slice(0, limit));
          const cursors = await store.listCursors({ after, limit });
          assert.deepEqual(
            cursors.map(([id]) => id),
            ids.filter(behind).slice(0, limit),
          );
        }
      }
    },
  },
  {
    name: 'a session view shows one moment, whatever is committed later',
    async check({ store }) {
      const builder = new PlanBuilder();
      const first = builder
        .append(ada, ...entries(0, 3_000))
        .save(ada, bytes('{"v":1}'))
        .receipt(ada, bytes('r'));
      await store.commit(first.build());
      await using view = await store.openSession(ada);
      assert.ok(view !== undefined);
      const { cursor } = view;
      const before = await readView(view);
      const reading = view.log()[Symbol.asyncIterator]();
      const page = await reading.next();
      await store.commit(
        builder
          .append(ada, ...entries(9_000, 9_001))
          .save(ada, bytes('{"v":2}'))
          .build(),
      );
      assert.deepEqual(await readView(view), before);
      await store.commit(builder.replace(ada, ...entries(8_000, 8_001)).build());
      await store.commit(builder.remove(ada).build());
      assert.deepEqual(await readView(view), before);
      assert.deepEqual(view.cursor, cursor);
      let read = page.done === true ? 0 : page.value.length;
      for (let next = await reading.next(); next.done !== true; next = await reading.next()) read += next.value.length;
      assert.equal(read, 3_000);
      assert.equal(await store.openSession(ada), undefined);
    },
  },
  {
    name: 'a view may be closed twice, and answers no more',
    async check({ store }) {
      await store.commit(new PlanBuilder().append(ada, ...entries(0, 3)).build());
      const view = await store.openSession(ada);
      assert.ok(view !== undefined);
      await view.close();
      await view.close();
      await assert.rejects(view.snapshot(), { code: 'STORE_CLOSED' });
      await assert.rejects(view.log()[Symbol.asyncIterator]().next(), { code: 'STORE_CLOSED' });
    },
  },
];

async function viewOf(store: Store, session: SessionId) {
  await using view = await store.openSession(session);
  return view === undefined ? undefined : await readView(view);
}

async function assertGone({ store }: StoreUnderTest, session: SessionId): Promise<void> {
  assert.equal(await store.openSession(session), undefined);
  assert.ok(!(await store.listSessions({ limit: 100 })).includes(session));
  const [cursor] = await store.readCursors([session]);
  assert.equal(cursor?.presence, 'deleted');
}
