import { expect, test } from 'vitest';
import { type Cursor, initialCursor } from '../../../src/domain/cursor.ts';
import type { SessionId } from '../../../src/domain/identifiers.ts';
import { StoredCursors } from '../../../src/embedded-store/stored-cursors.ts';

const session = 'one' as SessionId;

function at(version: number): Cursor {
  return { ...initialCursor, presence: 'known', version };
}

function changeTo(version: number) {
  return [{ session, after: at(version) }];
}

/** A database whose reads end when the test says so, with what it says. */
class SlowDatabase {
  readonly #reads: ((version: number) => void)[] = [];

  get reads(): number {
    return this.#reads.length;
  }

  cursors(): Promise<readonly Cursor[]> {
    return new Promise((resolve) => this.#reads.push((version) => resolve([at(version)])));
  }

  /** Ends the read of this number, counted from 0. */
  end(read: number, version: number): void {
    this.#reads[read]?.(version);
  }
}

async function versionOf(read: Promise<readonly (Cursor | undefined)[]>): Promise<number | undefined> {
  return (await read)[0]?.version;
}

test('what was read once is not read again', async () => {
  const database = new SlowDatabase();
  const cursors = new StoredCursors(database);
  const first = cursors.read([session]);
  database.end(0, 1);
  expect(await versionOf(first)).toBe(1);
  expect(await versionOf(cursors.read([session]))).toBe(1);
  expect(database.reads).toBe(1);
});

test('what was committed is not read', async () => {
  const database = new SlowDatabase();
  const cursors = new StoredCursors(database);
  cursors.startCommit(changeTo(5));
  cursors.settle(changeTo(5));
  expect(await versionOf(cursors.read([session]))).toBe(5);
  expect(database.reads).toBe(0);
});

test('a read that began before a commit and ends during it leaves nothing behind', async () => {
  const database = new SlowDatabase();
  const cursors = new StoredCursors(database);
  const before = cursors.read([session]);
  cursors.startCommit(changeTo(2));
  database.end(0, 1);
  expect(await versionOf(before)).toBe(1);
  const during = cursors.read([session]);
  database.end(1, 2);
  expect(await versionOf(during)).toBe(2);
});

test('a read that a commit overtook leaves nothing behind', async () => {
  const database = new SlowDatabase();
  const cursors = new StoredCursors(database);
  const before = cursors.read([session]);
  cursors.startCommit(changeTo(2));
  const during = cursors.read([session]);
  cursors.settle(changeTo(2));
  database.end(0, 1);
  database.end(1, 1);
  await Promise.all([before, during]);
  expect(await versionOf(cursors.read([session]))).toBe(2);
});

test('a commit that failed leaves its sessions to the database', async () => {
  const database = new SlowDatabase();
  const cursors = new StoredCursors(database);
  cursors.startCommit(changeTo(1));
  cursors.settle(changeTo(1));
  cursors.startCommit(changeTo(2));
  for (const [read, version] of [2, 2].entries()) {
    const reading = cursors.read([session]);
    database.end(read, version);
    expect(await versionOf(reading)).toBe(2);
  }
});
