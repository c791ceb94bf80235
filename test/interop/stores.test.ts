import { describe, expect, test } from 'vitest';
import { fold, persist, upstreamCalls } from './command-stream.ts';
import { freshPlace, type Layout, layouts, openOurs } from './layouts.ts';
import { dumpOurs } from './our-dump.ts';
import { releases } from './releases.ts';
import { dumpByUpstream, writeByUpstream } from './storage-program.ts';
import { streams } from './streams.ts';
import { type StoredSession, upstreamLine } from './upstream-view.ts';

/** RocksDB's backend finds sessions by their snapshots; the others by what `create_session_storage` leaves. */
function isListed(layout: Layout, { snapshot }: StoredSession): boolean {
  return layout !== 'rocksdb' || snapshot !== undefined;
}

/** Nothing of a session lies in RocksDB before it has a log or a snapshot. We read a log that has no snapshot, too. */
function leavesTrace(layout: Layout, { log, snapshot }: StoredSession): boolean {
  return layout !== 'rocksdb' || snapshot !== undefined || log.length > 0;
}

/** Compares line by line: of lines of megabytes, only where they part is shown. */
function expectSame(found: readonly string[], expected: readonly string[]): void {
  expect(expected.length).toBeGreaterThan(5);
  expect(found).toHaveLength(expected.length);
  for (const [index, line] of found.entries()) {
    const wanted = expected[index] ?? '';
    if (line === wanted) continue;
    let at = 0;
    while (line[at] === wanted[at]) at += 1;
    const part = (text: string): string => `… ${text.slice(Math.max(0, at - 200), at + 50)} …`;
    expect(part(line), `${at} characters into session ${index}`).toBe(part(wanted));
  }
}

describe.each(releases)('macp-storage %s', (release) => {
  describe.each(layouts)('reads from a store of ours in the layout %s', (layout) => {
    test.each(Object.keys(streams))('%s, to the last field', async (name) => {
      const commands = streams[name]?.(release) ?? [];
      const sessions = fold(commands);
      await using place = await freshPlace(layout);
      await using store = await openOurs(place);
      await persist(store, commands);
      await store.close();
      // RocksDB makes tables, in whose format releases differ, of what it has logged when it is opened the next time.
      await (await openOurs(place)).close();
      const ids = sessions.map(({ id }) => id);
      const lines = sessions.map((session) => upstreamLine(session, release, isListed(layout, session)));
      expectSame(await dumpByUpstream(release, await place.copy(), ids), lines);
    });
  });

  describe.each(layouts)('writes in the layout %s what we read', (layout) => {
    test.each(Object.keys(streams))('%s, to the last field', async (name) => {
      const commands = streams[name]?.(release) ?? [];
      const sessions = fold(commands);
      const linesOf = (some: readonly StoredSession[]) => some.map((session) => upstreamLine(session, release, true));
      await using place = await freshPlace(layout);
      const made = await writeByUpstream(release, place.upstream, upstreamCalls(commands));
      expect(made).toBe(commands.length);
      const listed = sessions.filter((session) => isListed(layout, session));
      expectSame(await dumpByUpstream(release, await place.copy()), linesOf(listed));
      await using store = await openOurs(place);
      expectSame(await dumpOurs(store), linesOf(sessions.filter((session) => leavesTrace(layout, session))));
    });
  });
});
