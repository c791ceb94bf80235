import assert from 'node:assert/strict';
import { readContents } from './store-contents.ts';
import type { BackupsUnderTest, StoreLawDefinition, StoreUnderTest } from './store-law.ts';
import { lifeOfTwoSessions } from './store-life.ts';
import { PlanBuilder, someDeadLetter, somePosition } from './store-plan-builder.ts';
import { ada, assertCode, assertLog, bob, bytes, entries, oddBytes, source } from './store-samples.ts';

export const backupLaws: readonly StoreLawDefinition[] = [
  {
    name: 'a store whose capabilities do not say so makes no backup',
    async check({ store, backups }) {
      if (store.capabilities.backup) assert.ok(backups !== undefined, 'the harness must bring what backups need');
      else await assertCode('NOT_SUPPORTED', store.backup('nowhere'));
    },
  },
  {
    name: 'a backup is equal to the store in everything, identity included, and later commits do not show in it',
    needs: 'backup',
    async check(subject) {
      const { store } = subject;
      const backups = backupsOf(subject);
      const made: { readonly directory: string; readonly contents: unknown }[] = [];
      for (const plan of lifeOfTwoSessions()) {
        await store.commit(plan);
        const directory = backups.newDirectory();
        await store.backup(directory);
        made.push({ directory, contents: await readContents(store) });
      }
      for (const { directory, contents } of made) {
        await using copy = await backups.open(directory);
        assert.deepEqual(await readContents(copy), contents);
        assert.deepEqual(copy.identity, store.identity);
      }
    },
  },
  {
    name: 'a backup of an empty store is an empty store',
    needs: 'backup',
    async check(subject) {
      const backups = backupsOf(subject);
      const directory = backups.newDirectory();
      await subject.store.backup(directory);
      await using copy = await backups.open(directory);
      assert.deepEqual(await readContents(copy), await readContents(subject.store));
    },
  },
  {
    name: 'a backup made while commits go on shows one moment between two of them',
    needs: 'backup',
    async check(subject) {
      const { store } = subject;
      const backups = backupsOf(subject);
      const builder = new PlanBuilder();
      const step = (n: number) =>
        builder
          .append(ada, oddBytes(20_000 + n))
          .append(bob, oddBytes(n))
          .unreadable(someDeadLetter(`${n}`, undefined))
          .position(source, 0, somePosition(n + 1))
          .build();
      for (let n = 0; n < 50; n += 1) await store.commit(step(n));
      const directory = backups.newDirectory();
      const backup = store.backup(directory);
      for (let n = 50; n < 100; n += 1) await store.commit(step(n));
      await backup;
      await using copy = await backups.open(directory);
      const at = (await copy.readPositions(source)).get(0)?.next ?? 0;
      assert.ok(at >= 50 && at <= 100);
      assert.equal((await copy.readTotals()).deadLetters.refused, at);
      assert.equal((await copy.readFiled(undefined, { limit: 1_000 })).length, at);
      const log = Array.from({ length: at }, (_, n) => n);
      await assertLog(
        copy,
        ada,
        log.map((n) => oddBytes(20_000 + n)),
      );
      await assertLog(copy, bob, log.map(oddBytes));
    },
  },
  {
    name: 'a store put back from a backup goes on from its positions, and the backup can be made again',
    needs: 'backup',
    async check(subject) {
      const backups = backupsOf(subject);
      const builder = new PlanBuilder();
      await subject.store.commit(
        builder
          .append(ada, ...entries(0, 3))
          .position(source, 0, somePosition(3))
          .build(),
      );
      const directory = backups.newDirectory();
      await subject.store.backup(directory);
      const next = builder.append(ada, ...entries(3, 5)).position(source, 0, somePosition(5));
      const lost = next.save(ada, bytes('{}')).build();
      await subject.store.commit(lost);
      await backups.putBack(directory);
      assert.deepEqual(await subject.store.readPositions(source), new Map([[0, somePosition(3)]]));
      await subject.store.commit(lost);
      await assertLog(subject.store, ada, entries(0, 5));
      await assertCode('POSITION_MISMATCH', subject.store.commit(lost));
      const again = backups.newDirectory();
      await subject.store.backup(again);
      await using copy = await backups.open(again);
      assert.deepEqual(await readContents(copy), await readContents(subject.store));
    },
  },
  {
    name: 'a backup is refused where something lies, which is left as it is',
    needs: 'backup',
    async check(subject) {
      const { store } = subject;
      const backups = backupsOf(subject);
      const builder = new PlanBuilder();
      await store.commit(builder.append(ada, ...entries(0, 3)).build());
      const directory = backups.newDirectory();
      await store.backup(directory);
      const before = await readContents(store);
      await store.commit(builder.append(ada, ...entries(3, 5)).build());
      await assertCode('INVALID_INPUT', store.backup(directory));
      await using copy = await backups.open(directory);
      assert.deepEqual(await readContents(copy), before);
    },
  },
  {
    name: 'backups asked for at the same time are all made, and of two under one name exactly one',
    needs: 'backup',
    async check(subject) {
      const { store } = subject;
      const backups = backupsOf(subject);
      await store.commit(new PlanBuilder().append(ada, ...entries(0, 30)).build());
      const [one, other] = [backups.newDirectory(), backups.newDirectory()];
      const outcomes = await Promise.allSettled([one, other, one].map((directory) => store.backup(directory)));
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'made')),
        ['made', 'made', 'INVALID_INPUT'],
      );
      for (const directory of [one, other]) {
        await using copy = await backups.open(directory);
        await assertLog(copy, ada, entries(0, 30));
      }
    },
  },
  {
    name: 'closing ends a backup under way: it is whole, or there is none',
    needs: 'backup',
    async check(subject) {
      const { store } = subject;
      const backups = backupsOf(subject);
      const log = Array.from({ length: 200 }, (_, n) => oddBytes(20_000 + n));
      await store.commit(new PlanBuilder().append(ada, ...log).build());
      const directory = backups.newDirectory();
      const outcome = store.backup(directory).then(
        () => 'made',
        (error: { code?: string }) => error.code,
      );
      await store.close();
      if ((await outcome) === 'made') {
        await using copy = await backups.open(directory);
        return assertLog(copy, ada, log);
      }
      assert.equal(await outcome, 'STORE_CLOSED');
      await assertCode('STORE_CLOSED', store.backup(directory));
      await subject.reopen();
      await subject.store.backup(directory);
      await using copy = await backups.open(directory);
      await assertLog(copy, ada, log);
    },
  },
];

function backupsOf({ backups }: StoreUnderTest): BackupsUnderTest {
  assert.ok(backups !== undefined, 'the harness must bring what backups need');
  return backups;
}
