import assert from 'node:assert/strict';
import type { Sequence } from '../domain/identifiers.ts';
import type { FiledRecord, ParkedCommand, ParkedHeader, SourceId } from '../domain/plan.ts';
import type { FiledKey } from '../ports/store.ts';
import { readableFiled } from './store-contents.ts';
import type { StoreLawDefinition } from './store-law.ts';
import { PlanBuilder, someDeadLetter, someDecision, someParked, somePosition } from './store-plan-builder.ts';
import { ada, assertCode, bob, oddBytes, source } from './store-samples.ts';

export const recordLaws: readonly StoreLawDefinition[] = [
  {
    name: 'parked commands come back whole, their headers ascending by sequence',
    async check({ store }) {
      const sequences = [300, 2, 70_000, Number.MAX_SAFE_INTEGER, 2 ** 32];
      const parked = sequences.map((sequence, index) =>
        someParked(sequence, oddBytes(sequence % 999), index % 2 === 0 ? undefined : 'INVALID_ATTRIBUTE'),
      );
      await store.commit(
        new PlanBuilder()
          .park(ada, ...parked)
          .park(bob, someParked(4))
          .build(),
      );
      const headers = await store.readParkedHeaders(ada);
      assert.deepEqual(
        headers,
        parked.map(headerOf).sort((one, other) => one.sequence - other.sequence),
      );
      const found = await store.readParked(
        ada,
        parked.map(({ sequence }) => sequence),
      );
      assert.deepEqual(found.map(plain), parked.map(plain));
      assert.deepEqual(await store.readParked(ada, []), []);
    },
  },
  {
    name: 'commands that are parked no more are gone, and one asked for is STORE_CORRUPT',
    async check({ store }) {
      const builder = new PlanBuilder();
      const parked = [someParked(2), someParked(3), someParked(4)];
      await store.commit(builder.park(ada, ...parked).build());
      await store.commit(builder.unpark(ada, ...parked.slice(0, 2)).build());
      const headers = await store.readParkedHeaders(ada);
      assert.deepEqual(
        headers.map(({ sequence }) => sequence),
        [4],
      );
      await assertCode('STORE_CORRUPT', store.readParked(ada, [4, 3] as Sequence[]));
      await assertCode('STORE_CORRUPT', store.readParked(bob, [4] as Sequence[]));
    },
  },
  {
    name: 'a number unparked and parked again in one commit holds the new command',
    async check({ store }) {
      const builder = new PlanBuilder();
      const refused = someParked(2, oddBytes(33), 'INVALID_EVENT');
      await store.commit(builder.park(ada, refused).build());
      const other = someParked(2, oddBytes(77));
      await store.commit(builder.unpark(ada, refused).park(ada, other).build());
      assert.deepEqual((await store.readParked(ada, [other.sequence])).map(plain), [plain(other)]);
      assert.deepEqual(await store.readParkedHeaders(ada), [headerOf(other)]);
    },
  },
  {
    name: 'dead letters and decisions come back whole, under their session and under none',
    async check({ store }) {
      const ofAda = [someDeadLetter('one', ada), someDecision('two', ada), someDeadLetter('three', ada)];
      const ofNone = [someDeadLetter('four', undefined), someDeadLetter('one', undefined)];
      const builder = new PlanBuilder().file(ada, ...ofAda).file(bob, someDeadLetter('one', bob));
      await store.commit(builder.unreadable(...ofNone).build());
      const found = await store.readFiled(ada, { limit: 100 });
      assert.deepEqual(byId(found), byId(ofAda));
      const all = await store.readFiled(undefined, { limit: 100 });
      assert.deepEqual(byId(all), byId([...ofAda, ...ofNone, someDeadLetter('one', bob)]));
    },
  },
  {
    name: 'a store knows what is filed, by session and id',
    async check({ store }) {
      const letter = someDeadLetter('one', ada);
      const loose = someDeadLetter('two', undefined);
      await store.commit(new PlanBuilder().file(ada, letter).unreadable(loose).build());
      const keys: FiledKey[] = [letter, loose, { session: bob, id: letter.id }, { session: undefined, id: letter.id }];
      assert.deepEqual(await store.areFiled(keys), [true, true, false, false]);
      assert.deepEqual(await store.areFiled([]), []);
    },
  },
  {
    name: 'filed records are paged without gap or repetition',
    async check({ store }) {
      const builder = new PlanBuilder();
      for (let index = 0; index < 7; index += 1) {
        builder.file(ada, someDeadLetter(`a${index}`, ada)).file(bob, someDeadLetter(`b${index}`, bob));
        builder.unreadable(someDeadLetter(`u${index}`, undefined));
      }
      await store.commit(builder.build());
      for (const session of [undefined, ada]) {
        const whole = await store.readFiled(session, { limit: 1_000 });
        assert.equal(whole.length, session === undefined ? 21 : 7);
        for (const limit of [1, 2, 3, 7, 20]) {
          const paged: object[] = [];
          let page = await store.readFiled(session, { limit });
          while (page.length > 0) {
            assert.ok(page.length <= limit);
            paged.push(...page.map(readableFiled));
            const last = page.at(-1);
            page = await store.readFiled(session, { after: last && { session: last.session, id: last.id }, limit });
          }
          assert.deepEqual(paged, whole.map(readableFiled));
        }
      }
    },
  },
  {
    name: 'positions are kept by source and partition',
    async check({ store }) {
      const other = `${source}:other` as SourceId;
      const builder = new PlanBuilder();
      const first = builder.position(source, 0, somePosition(1)).position(source, 300, somePosition(2 ** 40));
      await store.commit(first.position(other, 0, somePosition(7)).build());
      await store.commit(builder.position(source, 0, somePosition(5)).build());
      const expected = new Map([
        [0, somePosition(5)],
        [300, somePosition(2 ** 40)],
      ]);
      assert.deepEqual(new Map(await store.readPositions(source)), expected);
      assert.deepEqual(new Map(await store.readPositions(other)), new Map([[0, somePosition(7)]]));
      assert.deepEqual(new Map(await store.readPositions('urn:none' as SourceId)), new Map());
      assert.deepEqual([...(await store.readSources())].sort(), [source, other].sort());
    },
  },
];

function headerOf({ sequence, epoch, writer, digest, bytes, refusal }: ParkedCommand): ParkedHeader {
  return { sequence, epoch, writer, digest, bytes, refusal };
}

function plain<Record extends { readonly message: Uint8Array }>(record: Record): object {
  return { ...record, message: Buffer.from(record.message).toString('base64') };
}

function byId(records: readonly FiledRecord[]): object[] {
  return [...records]
    .sort((one, other) => `${one.id} ${one.session}`.localeCompare(`${other.id} ${other.session}`))
    .map(readableFiled);
}
