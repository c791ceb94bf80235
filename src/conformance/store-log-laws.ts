import assert from 'node:assert/strict';
import { base64, readLog } from './store-contents.ts';
import type { StoreLawDefinition } from './store-law.ts';
import { PlanBuilder } from './store-plan-builder.ts';
import { ada, assertLog, bob, bytes, entries, oddBytes } from './store-samples.ts';

export const logLaws: readonly StoreLawDefinition[] = [
  {
    name: 'log entries come back byte for byte and in order',
    async check({ store }) {
      const odd = [
        oddBytes(0),
        oddBytes(1),
        oddBytes(255),
        oddBytes(4096),
        oddBytes(70_001),
        bytes('{"\u2028":"\u00e9"}'),
      ];
      const builder = new PlanBuilder();
      await store.commit(builder.append(ada, ...odd.slice(0, 2)).build());
      await store.commit(
        builder
          .append(ada, ...odd.slice(2))
          .append(bob, ...odd)
          .build(),
      );
      await assertLog(store, ada, odd);
      await assertLog(store, bob, odd);
    },
  },
  {
    name: 'a log of 10,000 entries, written in uneven commits, is read whole and in bounded pages',
    async check({ store }) {
      const builder = new PlanBuilder();
      for (let from = 0; from < 10_000; from += 1_234) {
        const log = entries(from, Math.min(from + 1_234, 10_000));
        await store.commit(
          builder
            .append(ada, ...log)
            .append(bob, ...log.slice(0, 1))
            .build(),
        );
      }
      await assertLog(store, ada, entries(0, 10_000));
      await using view = await store.openSession(ada);
      let pages = 0;
      for await (const page of view?.log() ?? []) {
        assert.ok(page.length > 0 && page.length <= 5_000, `a page of ${page.length} entries`);
        pages += 1;
      }
      assert.ok(pages > 1);
    },
  },
  {
    name: 'entries of 1 MiB come back byte for byte, and not all on one page',
    async check({ store }) {
      const large = Array.from({ length: 6 }, (_, index) => oddBytes(1024 * 1024 + index));
      await store.commit(new PlanBuilder().append(ada, ...large).build());
      await using view = await store.openSession(ada);
      assert.ok(view !== undefined);
      let read = 0;
      for await (const page of view.log()) {
        assert.ok(page.length < large.length);
        for (const entry of page) {
          assert.equal(Buffer.compare(entry, large[read] ?? oddBytes(0)), 0);
          read += 1;
        }
      }
      assert.equal(read, large.length);
    },
  },
  {
    name: 'bounds and limit of a log read hold at every edge',
    async check({ store }) {
      const all = entries(0, 5);
      await store.commit(
        new PlanBuilder()
          .append(ada, ...all)
          .append(bob, ...entries(50, 60))
          .build(),
      );
      await using view = await store.openSession(ada);
      assert.ok(view !== undefined);
      const edges = [undefined, 0, 1, 4, 5, 6, Number.MAX_SAFE_INTEGER];
      for (const from of edges) {
        for (const to of edges) {
          for (const limit of edges) {
            const expected = all.slice(from, to).slice(0, limit);
            const found = await readLog(view, { from, to, limit });
            assert.deepEqual(found.map(base64), expected.map(base64), JSON.stringify({ from, to, limit }));
          }
        }
      }
    },
  },
  {
    name: 'a negative or fractional bound is a TypeError',
    async check({ store }) {
      await store.commit(new PlanBuilder().append(ada, ...entries(0, 5)).build());
      await using view = await store.openSession(ada);
      assert.ok(view !== undefined);
      for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        for (const name of ['from', 'to', 'limit']) {
          await assert.rejects(readLog(view, { [name]: wrong }), TypeError, `${name} ${wrong}`);
        }
        await assert.rejects(store.listSessions({ limit: wrong }), TypeError);
        await assert.rejects(store.listCursors({ limit: wrong }), TypeError);
        await assert.rejects(store.readFiled(undefined, { limit: wrong }), TypeError);
      }
      await assert.rejects(store.listSessions({ limit: 0 }), TypeError);
    },
  },
  {
    name: 'a log read may be left early and several may run at once',
    async check({ store }) {
      await store.commit(new PlanBuilder().append(ada, ...entries(0, 5_000)).build());
      await using view = await store.openSession(ada);
      assert.ok(view !== undefined);
      for await (const page of view.log()) {
        assert.equal(base64(page[0] ?? oddBytes(0)), base64(bytes('{"entry":0}')));
        break;
      }
      const both = await Promise.all([readLog(view), readLog(view, { from: 2_500 })]);
      assert.deepEqual(
        both.map((log) => log.length),
        [5_000, 2_500],
      );
    },
  },
  {
    name: 'replacing a log leaves exactly the new entries, fewer, more or none',
    async check({ store }) {
      const builder = new PlanBuilder();
      let first = 0;
      for (const count of [3, 1, 7, 0, 2, 2, 0, 0, 5]) {
        await store.commit(builder.replace(ada, ...entries(first, first + count)).build());
        await assertLog(store, ada, entries(first, first + count));
        await store.commit(builder.append(ada, ...entries(first + count, first + count + 2)).build());
        await assertLog(store, ada, entries(first, first + count + 2));
        first += 1_000;
      }
    },
  },
  {
    name: 'replacing and appending in one commit keep their order',
    async check({ store }) {
      const builder = new PlanBuilder();
      await store.commit(builder.append(ada, ...entries(0, 4)).build());
      const step = builder
        .append(ada, ...entries(4, 5))
        .replace(ada, ...entries(10, 12))
        .append(ada, ...entries(12, 14));
      await store.commit(step.build());
      await assertLog(store, ada, entries(10, 14));
      await store.commit(
        builder
          .replace(ada, ...entries(20, 21))
          .replace(ada, ...entries(30, 31))
          .build(),
      );
      await assertLog(store, ada, entries(30, 31));
    },
  },
];
