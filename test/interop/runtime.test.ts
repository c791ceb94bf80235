import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ending, runProgram } from '../support/program.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { type Layout, layouts } from './layouts.ts';
import { answersOf, commandsFile, endOf, logsOf, type Recording } from './recordings.ts';
import type { Release } from './releases.ts';
import { RunningRuntime } from './runtime.ts';
import type { SentMessage } from './runtime-client.ts';
import type { UpstreamPlace } from './storage-program.ts';

/** Which macp-runtime boots on sessions that which one recorded, and one of those that is open, to which anybody may add. */
const boots = [
  { release: '0.4.0', recorded: 'v0.4.0', open: '85f30e2c-832a-7ff0-b782-c582e28a3992' },
  { release: '0.13.0', recorded: 'v0.13.0', open: '4e0c9c4b-d97e-75c7-a25c-d1a61c43be75' },
  { release: '0.13.0', recorded: 'v0.4.0', open: '85f30e2c-832a-7ff0-b782-c582e28a3992' },
] as const satisfies readonly { release: Release; recorded: Recording; open: string }[];

let scratch: string;
let redis: OwnRedis;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'interop-runtime-'));
  redis = await startRedis({ databases: '100' });
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true });
});

/** An empty place, in Redis a database of its own: macp-runtime's prefix cannot be chosen. */
let places = 0;
function freshStore(layout: Layout): { readonly url: string; readonly store: UpstreamPlace } {
  places += 1;
  const place = layout === 'redis' ? `${redis.address}/${places}` : join(scratch, `store-${places}`);
  const url = layout === 'redis' ? `${place}?prefix=macp` : `${layout}:${place}`;
  return { url, store: { layout, place: layout === 'redis' ? `${place} macp` : place } };
}

/** Runs `macp-persist` in a directory of its own, to an end without complaints unless they are asked for. */
async function program(...always: readonly string[]) {
  const directory = await mkdtemp(join(scratch, 'program-'));
  const end = (words: readonly string[], input = ''): Promise<Ending> =>
    runProgram([...words, ...always], { directory, input });
  return {
    end,
    async run(words: readonly string[], input?: string): Promise<string> {
      const ending = await end(words, input);
      expect(ending).toMatchObject({ code: 0 });
      return ending.stdout;
    },
  };
}

/** The runtime's log, and what it answers of each session, say that it has recovered all and misses nothing. */
async function expectRecovered(runtime: RunningRuntime, release: Release, recorded: Recording): Promise<void> {
  const answers = answersOf(recorded);
  expect(answers.length).toBeGreaterThan(30);
  expect(runtime.recovered).toBe(answers.length);
  const says = (what: RegExp): readonly string[] => runtime.log.filter((line) => what.test(line));
  expect(says(/skipping|failed/)).toEqual([]);
  // Of what an older release wrote, a newer one says that snapshots lack what only it derives from their logs.
  expect(says(/replay\/snapshot .*mismatch/).length > 0).toBe(`v${release}` !== recorded);
  for (const answer of answers) {
    expect(await runtime.client.getSession(answer.session, 'agent://lead')).toEqual(answer);
  }
}

/** The log of every session that `sessions dump` wrote out. */
function parseDump(text: string): Readonly<Record<string, readonly unknown[]>> {
  const sessions = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return Object.fromEntries(sessions.map(({ session_id, log }) => [session_id, log]));
}

/** A message to an open session, as a participant sends it. */
function contribution(session: string, id: string) {
  const payload = Buffer.from(JSON.stringify({ value: id }));
  return { mode: 'ext.multi_round.v1', type: 'Contribute', session, sender: 'agent://lead', id, payload } as const;
}

/** The log entry that a runtime would write of a message, and we write now. */
function entryOf({ mode, type, session, sender, id, payload }: SentMessage, at: number) {
  const sent = { message_id: id, received_at_ms: at, sender, message_type: type, raw_payload: [...payload] };
  return { ...sent, entry_kind: 'Incoming', session_id: session, mode, macp_version: '1.0', timestamp_unix_ms: at };
}

function appending(entry: ReturnType<typeof entryOf>): string {
  const event = { specversion: '1.0', id: 'a', source: '//interop', type: 'macp.log.append.v1' };
  return JSON.stringify({ ...event, subject: entry.session_id, data: entry });
}

describe.each(layouts)('in the layout %s', (layout) => {
  test.each(boots)(
    'macp-runtime $release boots on what a worker wrote of $recorded, recovers all, goes on, and so do we after it',
    async ({ release, recorded, open }) => {
      const { url, store } = freshStore(layout);
      const { run, end } = await program('--store', url);
      const startedAt = endOf(recorded);
      const [its, ours] = [contribution(open, 'of-the-runtime'), contribution(open, 'of-ours')];
      await run(['publish', commandsFile(recorded)]);
      // The second one finds nothing to do, but makes RocksDB write its tables, in whose format releases differ.
      for (const _ of [1, 2]) await run(['worker', '--exit-when-caught-up']);
      {
        await using runtime = await RunningRuntime.start({ release, store, startedAt });
        await expectRecovered(runtime, release, recorded);
        expect(await runtime.client.send(its)).toBe('accepted');
        await runtime.stop();
      }

      const refused = await end(['sessions', 'log', open]);
      expect(refused).toMatchObject({ code: 14, stdout: '' });
      expect(refused.stderr).toContain(`session "${open}" has`);
      expect(refused.stderr).toContain('STORE_CHANGED_ELSEWHERE');
      await run(['sessions', 'list', '--adopt-changes']);
      const entry = entryOf(ours, startedAt);
      await run(['publish', '-', '--as', '//interop/after-the-runtime'], appending(entry));
      const [before, after] = [logsOf(recorded), parseDump(await run(['sessions', 'dump']))];
      const found = { message_id: its.id, raw_payload: [...its.payload] };
      expect(after).toEqual({ ...before, [open]: [...(before[open] ?? []), expect.objectContaining(found), entry] });

      await using runtime = await RunningRuntime.start({ release, store, startedAt });
      expect(runtime.recovered).toBe(Object.keys(before).length);
      expect(await runtime.client.send(its)).toBe('duplicate');
      expect(await runtime.client.send(ours)).toBe('duplicate');
      expect(await runtime.client.send(contribution(open, 'another'))).toBe('accepted');
    },
  );

  test.each(boots)(
    'macp-runtime $release boots on what `export` wrote of $recorded, and recovers all',
    async ({ release, recorded }) => {
      const { url, store } = freshStore(layout);
      const { run } = await program();
      await run(['publish', commandsFile(recorded)]);
      await run(['worker', '--exit-when-caught-up']);
      await run(['export', '--to', url]);
      await using runtime = await RunningRuntime.start({ release, store, startedAt: endOf(recorded) });
      await expectRecovered(runtime, release, recorded);
    },
  );
});
