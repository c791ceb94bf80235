import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { contentAfter } from '../crash/history.ts';
import { Random } from '../power-cut/random.ts';
import { check, countOf, type Evidence } from './checker/check.ts';
import type { Acknowledged, StoredSession, TopicRecord, Wrong } from './checker/model.ts';
import { commandOf, type Story, sessionOf } from './workload/story.ts';

const story: Story = { seed: 7, sessions: 20, commands: 40 };
const first = '//chaos/first';
const second = '//chaos/second';
/** The session at index 0 is claimed by a second writer after this many commands. */
const claimedAfter = 25;
const victim = sessionOf(story, 0);

let perfect: Evidence;

beforeAll(() => {
  perfect = perfectEvidence();
});

/** What anybody may see after a run: sessions turn by turn, some records once more, one writer shut out by a claim. */
function perfectEvidence(): Evidence {
  const random = new Random(story.seed);
  const records: TopicRecord[] = [];
  const acknowledged: Acknowledged[] = [];
  const publish = (session: string, writer: string, epoch: number, sequence: number | undefined, index = 0): void => {
    const { type, data } = sequence === undefined ? claim : commandOf(story, index, sequence);
    const offset = records.length * 2;
    records.push({ partition: 3, offset, session, type, writer, epoch, sequence, data });
    if (sequence === undefined) return;
    acknowledged.push({ session, writer, epoch, sequence, partition: 3, offset, digest: sha256(data) });
  };
  for (let sequence = 1; sequence <= story.commands; sequence += 1) {
    for (let index = 0; index < story.sessions; index += 1) {
      const session = sessionOf(story, index);
      const isSecond = index === 0 && sequence > claimedAfter;
      publish(session, isSecond ? second : first, isSecond ? 2 : 1, sequence, index);
      if (index !== 0 && sequence > 3 && random.below(5) === 0)
        publish(session, first, 1, sequence - random.below(3), index);
      if (index !== 0 || sequence !== claimedAfter) continue;
      publish(session, second, 2, undefined);
      for (const late of [26, 25, 27, 26]) publish(session, first, 1, late);
      publish(session, second, 2, undefined);
    }
  }
  const sessions = new Map<string, StoredSession>();
  for (let index = 0; index < story.sessions; index += 1) {
    const commands = Array.from({ length: story.commands }, (_, before) => commandOf(story, index, before + 1));
    const { log, snapshot } = contentAfter(commands, commands.length) ?? expect.unreachable();
    const late = index === 0 ? [26, 27].map((sequence) => `\0${commandOf(story, 0, sequence).data}`) : [];
    sessions.set(sessionOf(story, index), { log, snapshot, deadLetters: late, parked: 0 });
  }
  return { records, acknowledged, stored: { sessions, others: [] } };
}

const claim = { type: 'macp.session.claim.v1', data: '' };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The evidence with another state of the victim; without one, it is not stored at all. */
function withVictim(mutate: (session: StoredSession) => StoredSession | undefined): Evidence {
  const { stored, ...rest } = perfect;
  const sessions = new Map(stored.sessions);
  const mutated = mutate(sessions.get(victim) ?? expect.unreachable());
  if (mutated === undefined) sessions.delete(victim);
  else sessions.set(victim, mutated);
  return { ...rest, stored: { ...stored, sessions } };
}

const withLog = (mutate: (log: readonly string[]) => readonly string[]): Evidence =>
  withVictim((session) => ({ ...session, log: mutate(session.log) }));

const without = <Item>(items: readonly Item[], index: number): readonly Item[] => items.toSpliced(index, 1);

/** The record of the victim that `sequence` finds, and where it stands. */
function recordOf({ records }: Evidence, epoch: number, sequence: number): readonly [TopicRecord, number] {
  const index = records.findIndex((one) => one.session === victim && one.epoch === epoch && one.sequence === sequence);
  return [records[index] ?? expect.unreachable(), index];
}

const mutants: readonly (readonly [what: string, wrong: readonly Wrong[], mutant: () => Evidence])[] = [
  ['drops the first entry', ['lost'], () => withLog((log) => log.slice(1))],
  ['drops an entry', ['lost'], () => withLog((log) => without(log, 4))],
  ['drops the last entry', ['lost'], () => withLog((log) => log.slice(0, -1))],
  ['doubles an entry', ['doubled'], () => withLog((log) => log.toSpliced(4, 0, log[4] ?? ''))],
  ['doubles the last entry', ['doubled'], () => withLog((log) => [...log, ...log.slice(-1)])],
  ['swaps two entries', ['reordered'], () => withLog(([one = '', two = '', ...rest]) => [two, one, ...rest])],
  ['holds the log backwards', ['reordered'], () => withLog((log) => log.toReversed())],
  [
    'changes a byte',
    ['foreign', 'lost'],
    () => withLog((log) => log.with(4, (log[4] ?? '').replace('agent', 'Agent'))),
  ],
  ['adds an entry', ['foreign'], () => withLog((log) => [...log, '{}'])],
  ['loses the snapshot', ['snapshot'], () => withVictim((session) => ({ ...session, snapshot: undefined }))],
  [
    'keeps the snapshot before the last one',
    ['snapshot'],
    () => {
      const saves = Array.from({ length: story.commands }, (_, before) => commandOf(story, 0, before + 1)).filter(
        ({ type }) => type === 'macp.session.save.v1',
      );
      return withVictim((session) => ({ ...session, snapshot: saves.at(-2)?.data ?? expect.unreachable() }));
    },
  ],
  ['loses a session', ['lost', 'session'], () => withVictim(() => undefined)],
  [
    'loses a dead letter',
    ['dead letter'],
    () => withVictim((session) => ({ ...session, deadLetters: session.deadLetters.slice(1) })),
  ],
  [
    'adds a dead letter',
    ['dead letter'],
    () => withVictim((session) => ({ ...session, deadLetters: [...session.deadLetters, 'x'] })),
  ],
  [
    'stores a dead letter without its message',
    ['dead letter'],
    () => withVictim((session) => ({ ...session, deadLetters: ['', ''] })),
  ],
  ['lets a command wait', ['parked'], () => withVictim((session) => ({ ...session, parked: 1 }))],
  [
    'makes up a session',
    ['session'],
    () => {
      const { stored, ...rest } = perfect;
      const sessions = new Map(stored.sessions).set('made up', {
        log: [],
        snapshot: undefined,
        deadLetters: [],
        parked: 0,
      });
      return { ...rest, stored: { ...stored, sessions } };
    },
  ],
  [
    'holds something that belongs to nobody',
    ['session'],
    () => {
      const { stored, ...rest } = perfect;
      return { ...rest, stored: { ...stored, others: ['log:nobody'] } };
    },
  ],
  [
    'applies what was shut out',
    ['foreign'],
    () => {
      const { records, ...rest } = perfect;
      // The claim comes earlier: what stood between it and its old place is shut out now, yet stored.
      const [, at] = recordOf({ records, ...rest }, 1, claimedAfter);
      const claims = records.findIndex(({ sequence }) => sequence === undefined);
      const moved = records.with(at, {
        ...(records[claims] ?? expect.unreachable()),
        offset: records[at]?.offset ?? 0,
      });
      return { ...rest, records: moved };
    },
  ],
];

const topicMutants: readonly (readonly [what: string, wrong: readonly Wrong[], mutant: () => Evidence])[] = [
  [
    'an acknowledged command is not there',
    ['acknowledged'],
    () => {
      const { records, ...rest } = perfect;
      const [, last] = recordOf({ records, ...rest }, 2, story.commands);
      return { ...rest, records: without(records, last) };
    },
  ],
  [
    'an acknowledged command stands elsewhere',
    ['acknowledged'],
    () => {
      const { acknowledged, ...rest } = perfect;
      return {
        ...rest,
        acknowledged: acknowledged.map((one, at) => (at === 30 ? { ...one, offset: one.offset + 1 } : one)),
      };
    },
  ],
  [
    'an acknowledged command has other bytes',
    ['acknowledged'],
    () => {
      const { acknowledged, ...rest } = perfect;
      return {
        ...rest,
        acknowledged: acknowledged.map((one, at) => (at === 30 ? { ...one, digest: sha256('') } : one)),
      };
    },
  ],
  [
    'a command is missing between two others',
    ['topic'],
    () => {
      const { records, ...rest } = perfect;
      return { ...rest, records: without(records, recordOf({ records, ...rest }, 1, 10)[1]) };
    },
  ],
  [
    'two commands stand in the wrong order',
    ['topic'],
    () => {
      const { records, ...rest } = perfect;
      const [one, at] = recordOf({ records, ...rest }, 1, 10);
      const [two, after] = recordOf({ records, ...rest }, 1, 11);
      return { ...rest, records: records.with(at, two).with(after, one) };
    },
  ],
  [
    'a number was used for two commands',
    ['topic'],
    () => {
      const { records, ...rest } = perfect;
      const [one] = recordOf({ records, ...rest }, 2, story.commands);
      return { ...rest, records: [...records, { ...one, offset: records.length * 2, data: '{}' }] };
    },
  ],
];

describe('the checker', () => {
  test('has nothing against a perfect store, with repeated and fenced commands in the topic', () => {
    const verdict = check(perfect);
    expect(verdict).toMatchObject({ complaints: [], sessions: 20, commands: 800, claims: 1, deadLetters: 2 });
    expect(verdict.repeated).toBeGreaterThan(50);
    expect(verdict.records).toBe(800 + 1 + 2 + verdict.repeated);
  });

  test.each(mutants)('complains about a store that %s', (_, wrong, mutant) => {
    const verdict = check(mutant());
    for (const kind of wrong) expect(countOf(verdict, kind), kind).toBeGreaterThan(0);
    expect(verdict.complaints.filter(({ text }) => !text.includes(victim) && !/made up|nobody/.test(text))).toEqual([]);
  });

  test.each(topicMutants)('complains about a topic where %s', (_, wrong, mutant) => {
    const verdict = check(mutant());
    for (const kind of wrong) expect(countOf(verdict, kind), kind).toBeGreaterThan(0);
  });

  test('counts one entry for one mistake', () => {
    expect(countOf(check(withLog((log) => without(log, 4))), 'lost')).toBe(1);
    expect(countOf(check(withLog((log) => [...log, ...log.slice(-1)])), 'doubled')).toBe(1);
    expect(countOf(check(withLog(([one = '', two = '', ...rest]) => [two, one, ...rest])), 'reordered')).toBe(1);
  });
});
