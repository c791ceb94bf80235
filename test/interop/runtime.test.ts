import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../support/program.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { fold, goldenCommands } from './command-stream.ts';
import { type Layout, layouts } from './layouts.ts';
import { encodeMessage } from './protocol-buffers.ts';
import type { Release } from './releases.ts';
import { RunningRuntime } from './runtime.ts';
import type { UpstreamPlace } from './storage-program.ts';

/** Which macp-runtime boots on which recorded sessions, and one of those that is open, in rounds that anybody may add to. */
const boots = [
  { release: '0.4.0', recorded: 'v0.4.0', open: '85f30e2c-832a-7ff0-b782-c582e28a3992' },
  { release: '0.13.0', recorded: 'v0.13.0', open: '4e0c9c4b-d97e-75c7-a25c-d1a61c43be75' },
  { release: '0.13.0', recorded: 'v0.4.0', open: '85f30e2c-832a-7ff0-b782-c582e28a3992' },
] as const satisfies readonly { release: Release; recorded: string; open: string }[];

let scratch: string;
let redis: OwnRedis;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'interop-runtime-'));
  redis = await startRedis();
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

interface Entry {
  readonly received_at_ms: number;
  readonly message_id: string;
  readonly raw_payload: readonly number[];
}

/** What a runtime has to know again after it has started, from the recorded snapshots. */
function expectedSessions(recorded: (typeof boots)[number]['recorded']) {
  return fold(goldenCommands(recorded)).map(({ id, snapshot = '', log }) => {
    const { state, mode, participants, started_at_unix_ms } = JSON.parse(snapshot);
    const times = log.map((entry) => (JSON.parse(entry) as Entry).received_at_ms);
    return {
      last: Math.max(...times),
      answer: { session: id, state, mode, participants, startedAt: BigInt(started_at_unix_ms) },
    };
  });
}

describe.each(layouts)('a store in the layout %s that a worker has written', (layout) => {
  test.each(boots)(
    'of $recorded: macp-runtime $release boots on it, recovers every session and goes on, and we read what it wrote',
    async ({ release, recorded, open }) => {
      const directory = await mkdtemp(join(scratch, 'worker-'));
      const { url, store } = freshStore(layout);
      const run = (...words: readonly string[]) => runProgram([...words, '--store', url], { directory });
      const commands = fileURLToPath(new URL(`../fixtures/golden/${recorded}/commands.ndjson`, import.meta.url));
      expect(await runProgram(['publish', commands], { directory })).toMatchObject({ code: 0 });
      expect(await run('worker', '--exit-when-caught-up')).toMatchObject({ code: 0 });

      const sessions = expectedSessions(recorded);
      const startedAt = Math.max(...sessions.map(({ last }) => last)) + 1_000;
      await using runtime = await RunningRuntime.start({ release, store, startedAt });
      const replayed = runtime.log.find((line) => line.includes('replayed sessions from log'));
      expect(replayed).toContain(`count=${sessions.length}`);
      const complaints = release.slice(1) === recorded ? /skipping|failed|mismatch/ : /skipping|failed/;
      expect(runtime.log.filter((line) => complaints.test(line))).toEqual([]);
      for (const { answer } of sessions) {
        expect(await runtime.client.getSession(answer.session, 'agent://lead')).toEqual(answer);
      }

      const message = { mode: 'ext.multi_round.v1', type: 'Contribute', id: 'after-the-boot', session: open } as const;
      const payload = encodeMessage([[1, 'a value of its own']]);
      await runtime.client.send({ ...message, sender: 'agent://lead', payload });
      await runtime.stop();

      const refused = await run('sessions', 'log', open);
      expect(refused).toMatchObject({ code: 14, stdout: '' });
      expect(refused.stderr).toContain('STORE_CHANGED_ELSEWHERE');
      expect(refused.stderr).toContain(`session "${open}" has`);
      expect(await run('sessions', 'list', '--adopt-changes')).toMatchObject({ code: 0 });
      const read = await run('sessions', 'log', open);
      expect(read).toMatchObject({ code: 0, stderr: '' });
      const last = JSON.parse(read.stdout.trimEnd().split('\n').at(-1) ?? '') as Entry;
      expect(last).toMatchObject({ message_id: message.id, raw_payload: [...payload] });
    },
  );
});
