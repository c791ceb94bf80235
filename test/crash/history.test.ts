import { describe, expect, test } from 'vitest';
import {
  contentAfter,
  type Observation,
  prefixComplaints,
  readHistories,
  readLines,
  type SessionContent,
} from './history.ts';

const folders = ['v0.4.0', 'v0.13.0'] as const;

function golden(folder: string): readonly string[] {
  return readLines(new URL(`../fixtures/golden/${folder}/commands.ndjson`, import.meta.url));
}

/** What a perfect store shows after `share` of each session's commands. */
function perfect(folder: string, share: number): Observation[] {
  return [...readHistories(golden(folder))].map(([session, commands]) => {
    const last = Math.floor(commands.length * share);
    return { session, last, content: contentAfter(commands, last) };
  });
}

const mutants: readonly (readonly [string, (content: SessionContent) => SessionContent])[] = [
  ['drops the last entry', ({ log, snapshot }) => ({ log: log.slice(0, -1), snapshot })],
  ['drops the first entry', ({ log, snapshot }) => ({ log: log.slice(1), snapshot })],
  ['doubles an entry', ({ log, snapshot }) => ({ log: [...log, ...log.slice(-1)], snapshot })],
  ['swaps two entries', ({ log, snapshot }) => ({ log: [...log.slice(0, -2), ...log.slice(-2).reverse()], snapshot })],
  [
    'changes a byte of an entry',
    ({ log, snapshot }) => ({ log: log.map((entry) => entry.replace('sender', 'Sender')), snapshot }),
  ],
  ['loses the snapshot', ({ log }) => ({ log, snapshot: undefined })],
];

describe('the prefix checker', () => {
  test.each(folders)('has nothing against any prefix of %s', (folder) => {
    const histories = readHistories(golden(folder));
    for (let tenth = 0; tenth <= 10; tenth += 1) {
      expect(prefixComplaints(histories, perfect(folder, tenth / 10))).toEqual([]);
    }
  });

  test.each(folders)('folds %s to the log entries and snapshots that the recorded store holds', (folder) => {
    const histories = readHistories(golden(folder));
    for (const line of readLines(new URL(`../fixtures/golden/${folder}/expected.ndjson`, import.meta.url))) {
      const { session_id: id, log, session } = JSON.parse(line);
      const commands = histories.get(id) ?? [];
      const content = contentAfter(commands, commands.length);
      expect(content?.log.map((entry) => JSON.parse(entry))).toEqual(log);
      const { seen_message_ids: seen = [], ...snapshot } = JSON.parse(content?.snapshot ?? 'null') ?? {};
      const { seen_message_ids: recorded = [], ...others } = session ?? {};
      expect(snapshot).toEqual(others);
      expect([...seen].sort()).toEqual([...recorded].sort());
    }
  });

  test.each(mutants)('complains about a store that %s', (_, mutate) => {
    const histories = readHistories(golden('v0.4.0'));
    const observed = perfect('v0.4.0', 1);
    const victim = observed.findIndex(
      ({ content }) => (content?.log.length ?? 0) > 3 && content?.snapshot !== undefined,
    );
    const { content, ...rest } = observed[victim] ?? expect.unreachable();
    observed[victim] = { ...rest, content: mutate(content ?? expect.unreachable()) };
    const complaints = prefixComplaints(histories, observed);
    expect(complaints).toContainEqual(expect.stringContaining(rest.session));
    expect(complaints.filter((complaint) => !complaint.startsWith(rest.session))).toEqual([]);
  });

  test.each([-1, 1])('complains about a cursor that is off by %i', (by) => {
    const histories = readHistories(golden('v0.4.0'));
    const observed = perfect('v0.4.0', 0.5).map((one) => ({ ...one, last: one.last + by }));
    expect(prefixComplaints(histories, observed).length).toBeGreaterThan(observed.length / 2);
  });

  test('complains about a session that is missing, made up, or read twice', () => {
    const histories = readHistories(golden('v0.4.0'));
    const [first = expect.unreachable(), ...others] = perfect('v0.4.0', 1);
    expect(prefixComplaints(histories, [{ ...first, content: undefined }, ...others])).toHaveLength(1);
    expect(prefixComplaints(histories, [{ ...first, session: 'made up' }, ...others])).toHaveLength(1);
    expect(prefixComplaints(histories, [first, first, ...others])).toHaveLength(1);
  });
});
