import { expect } from 'vitest';
import { seededRandom } from '../../bench/support/random.ts';
import { openStore } from '../../src/compose/open.ts';
import { storeAt } from '../../src/compose/store-url.ts';
import { type Difference, type VerifyReport, verifyStores } from '../../src/compose/verify.ts';
import { PlanBuilder } from '../../src/conformance/store-plan-builder.ts';
import { bytes } from '../../src/conformance/store-samples.ts';
import type { SessionId } from '../../src/domain/identifiers.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { copyStore } from '../../src/transfer/copy-store.ts';
import { StoreSource } from '../../src/transfer/store-source.ts';
import { defaultValues } from './default-values.ts';

/** A store that nobody has open, and what reaches into it from outside. */
export interface Corruptible {
  readonly url: string;
  setEntry(session: SessionId, ordinal: number, entry: Uint8Array): Promise<void>;
  removeEntry(session: SessionId, ordinal: number): Promise<void>;
  addSession(session: SessionId, entry: Uint8Array): Promise<void>;
}

/** Two places for stores of one kind. */
export interface CorruptionHarness {
  create(): Promise<{ readonly intact: string; readonly corrupted: Corruptible; dispose(): Promise<void> }>;
}

export interface CorruptionLaw {
  readonly name: string;
  check(harness: CorruptionHarness): Promise<void>;
}

const seeds = [1, 2, 3, 4, 5];
const sessions = ['ada', 'bob', 'eve', 'mallory'] as SessionId[];
const entries = 40;

/** A log entry as macp-runtime writes one, as long as `ordinal` makes it. */
function entryOf(session: SessionId, ordinal: number): Uint8Array {
  return bytes(
    `{"message_id":"${session}-${ordinal}","received_at_ms":1,"sender":"agent://${'a'.repeat(ordinal + 1)}",` +
      '"message_type":"Contribute","raw_payload":[1,2],"entry_kind":"Incoming"}',
  );
}

/** The same store twice. */
async function fill(urls: readonly string[]): Promise<void> {
  const builder = new PlanBuilder();
  for (const session of sessions) {
    builder.append(session, ...Array.from({ length: entries }, (_, ordinal) => entryOf(session, ordinal)));
  }
  await using model = createMemoryStore();
  await model.commit(builder.build());
  for (const url of urls) {
    await using target = await openStore(storeAt(url, defaultValues), defaultValues);
    const signal = new AbortController().signal;
    await copyStore(new StoreSource(model), { target, signal, onProgress: () => undefined });
  }
}

interface Verified {
  readonly report: VerifyReport;
  readonly differences: readonly Difference[];
}

async function verified(first: string, second: string): Promise<Verified> {
  const differences: Difference[] = [];
  const report = await verifyStores([first, second], {
    values: defaultValues,
    signal: new AbortController().signal,
    onPhase: () => undefined,
    onProgress: () => undefined,
    onDifference: async (difference) => void differences.push(difference),
    onRemark: () => undefined,
  });
  expect(report.differences).toBe(differences.length);
  return { report, differences };
}

/** What is told of the differences, as a person reads it. */
const told = ({ differences }: Verified): string =>
  differences.map((difference) => Object.values(difference).join(' ')).join('\n');

/** For every seed: corrupts one of two equal stores, and checks what is told of them. */
function law(
  name: string,
  corrupt: (place: { session: SessionId; ordinal: number; random: () => number }, store: Corruptible) => Promise<void>,
  check: (place: { session: SessionId; ordinal: number }, found: Verified) => void,
): CorruptionLaw {
  return {
    name,
    async check(harness) {
      for (const seed of seeds) {
        const random = seededRandom(seed);
        const { intact, corrupted, dispose } = await harness.create();
        try {
          await fill([intact, corrupted.url]);
          const session = sessions[Math.floor(random() * sessions.length)] ?? ('ada' as SessionId);
          const ordinal = Math.floor(random() * (entries - 1));
          await corrupt({ session, ordinal, random }, corrupted);
          const found = await verified(intact, corrupted.url);
          expect(found.report.first.sha256).not.toBe(found.report.second.sha256);
          expect(found.report).toMatchObject({ differentSessions: 1 });
          check({ session, ordinal }, found);
        } finally {
          await dispose();
        }
      }
    },
  };
}

export const corruptionLaws: readonly CorruptionLaw[] = [
  {
    name: 'two stores of one content are told to be the same, by one digest',
    async check(harness) {
      const { intact, corrupted, dispose } = await harness.create();
      try {
        await fill([intact, corrupted.url]);
        const { report, differences } = await verified(intact, corrupted.url);
        expect(differences).toEqual([]);
        expect(report).toMatchObject({ sessions: sessions.length, differentSessions: 0, rewordedSessions: 0 });
        expect(report.first.sha256).toBe(report.second.sha256);
      } finally {
        await dispose();
      }
    },
  },
  law(
    'a flipped byte is found, with its session and its entry',
    async ({ session, ordinal, random }, store) => {
      const entry = Buffer.from(entryOf(session, ordinal));
      // Within the sender's name: it stays JSON.
      const at = entry.indexOf('agent://') + 8 + Math.floor(random() * (ordinal + 1));
      entry[at] = 0x62;
      await store.setEntry(session, ordinal, entry);
    },
    ({ session, ordinal }, found) =>
      expect(told(found)).toMatch(new RegExp(`^${session} .*(entry|line) ${ordinal}\\b`)),
  ),
  law(
    'a missing entry is found, with its session and its entry',
    ({ session, ordinal }, store) => store.removeEntry(session, ordinal),
    ({ session, ordinal }, found) =>
      expect(found.differences[0]).toMatchObject({
        session,
        part: 'entry',
        item: ordinal,
        relation: expect.stringMatching('only in first|unreadable'),
      }),
  ),
  law(
    'a swapped pair is found, with its session and both entries',
    async ({ session, ordinal }, store) => {
      await store.setEntry(session, ordinal, entryOf(session, ordinal + 1));
      await store.setEntry(session, ordinal + 1, entryOf(session, ordinal));
    },
    ({ session, ordinal }, found) =>
      expect(found.differences).toMatchObject([
        { session, part: 'entry', item: ordinal, relation: 'swapped', detail: `with entry ${ordinal + 1}` },
      ]),
  ),
  law(
    'an extra session is found by its name',
    ({ ordinal }, store) => store.addSession(`extra-${ordinal}` as SessionId, entryOf(sessions[0] as SessionId, 1)),
    ({ ordinal }, found) =>
      expect(found.differences).toMatchObject([
        { session: `extra-${ordinal}`, part: 'session', relation: 'only in second' },
      ]),
  ),
];
