import { createHash } from 'node:crypto';
import { type ExpectedSession, expectationOf } from './expectation.ts';
import type { Acknowledged, Complaint, Stored, StoredSession, TopicRecord, Wrong } from './model.ts';

/** What was read on its own from topic, store and the ledgers of the publishers. */
export interface Evidence {
  /** Those of one partition stand in their order. */
  readonly records: readonly TopicRecord[];
  readonly stored: Stored;
  readonly acknowledged: readonly Acknowledged[];
}

export interface Verdict {
  /** Empty when everything is as it must be. */
  readonly complaints: readonly Complaint[];
  readonly records: number;
  readonly sessions: number;
  /** Commands that took effect. */
  readonly commands: number;
  readonly claims: number;
  /** Records that repeat what stands before them in the topic. */
  readonly repeated: number;
  readonly deadLetters: number;
}

/** Compares what the store holds with what the topic says that it must hold, and the topic with the ledgers. */
export function check({ records, stored, acknowledged }: Evidence): Verdict {
  const expected = expectationOf(records);
  const sessions = [...expected.sessions];
  return {
    complaints: [
      ...expected.complaints,
      ...sessions.flatMap(([session, must]) => sessionComplaints(session, must, stored.sessions.get(session))),
      ...foreignComplaints(stored, expected.sessions),
      ...ledgerComplaints(records, acknowledged),
    ],
    records: records.length,
    sessions: sessions.length,
    commands: sum(sessions.map(([, { commands }]) => commands)),
    claims: expected.claims,
    repeated: expected.repeated,
    deadLetters: sum(sessions.map(([, { deadLetters }]) => deadLetters.length)),
  };
}

/** How many of what the complaints are about are wrong in this way. */
export function countOf({ complaints }: Pick<Verdict, 'complaints'>, wrong: Wrong): number {
  return sum(complaints.filter((complaint) => complaint.wrong === wrong).map(({ count }) => count));
}

function sessionComplaints(
  session: string,
  { content, deadLetters }: ExpectedSession,
  found: StoredSession | undefined,
): readonly Complaint[] {
  if (content === undefined || found === undefined) {
    if ((content === undefined) === (found === undefined)) return [];
    const lost: Complaint = { wrong: 'lost', count: content?.log.length ?? 0, text: `${session}: its whole log` };
    const text = `${session} ${found === undefined ? 'is missing' : 'exists'}`;
    return [{ wrong: 'session', count: 1, text }, ...(lost.count > 0 ? [lost] : [])];
  }
  const complaints = logComplaints(session, content.log, found.log);
  if (found.snapshot !== content.snapshot) {
    complaints.push({ wrong: 'snapshot', count: 1, text: `${session} has another snapshot` });
  }
  if (found.parked > 0) {
    complaints.push({ wrong: 'parked', count: found.parked, text: `${session} has commands that wait` });
  }
  const missing = deadLetters.filter((data) => !found.deadLetters.some((letter) => letter.includes(data))).length;
  if (missing > 0 || found.deadLetters.length !== deadLetters.length) {
    const text = `${session} has ${found.deadLetters.length} dead letters instead of ${deadLetters.length}`;
    complaints.push({ wrong: 'dead letter', count: 1, text: `${text}, and ${missing} of these are not among them` });
  }
  return complaints;
}

function logComplaints(session: string, expected: readonly string[], found: readonly string[]): Complaint[] {
  if (expected.length === found.length && expected.every((entry, ordinal) => entry === found[ordinal])) return [];
  const open = new Map<string, number[]>();
  for (const [ordinal, entry] of expected.entries()) open.set(entry, [...(open.get(entry) ?? []), ordinal]);
  const counts = { lost: expected.length, doubled: 0, reordered: 0, foreign: 0 };
  let latest = -1;
  for (const entry of found) {
    const ordinals = open.get(entry);
    const ordinal = ordinals?.shift();
    if (ordinal === undefined) counts[ordinals === undefined ? 'foreign' : 'doubled'] += 1;
    else {
      counts.lost -= 1;
      if (ordinal < latest) counts.reordered += 1;
      latest = ordinal;
    }
  }
  return (['lost', 'doubled', 'reordered', 'foreign'] as const)
    .filter((wrong) => counts[wrong] > 0)
    .map((wrong) => ({ wrong, count: counts[wrong], text: `${session}: ${counts[wrong]} entries ${wrong}` }));
}

function foreignComplaints(
  { sessions, others }: Stored,
  expected: ReadonlyMap<string, ExpectedSession>,
): readonly Complaint[] {
  const strangers = [...sessions.keys()].filter((session) => !expected.has(session));
  return [
    ...strangers.map((session): Complaint => ({ wrong: 'session', count: 1, text: `${session} is not in the topic` })),
    ...others.map((other): Complaint => ({ wrong: 'session', count: 1, text: `${other} belongs to no session` })),
  ];
}

function ledgerComplaints(
  records: readonly TopicRecord[],
  acknowledged: readonly Acknowledged[],
): readonly Complaint[] {
  const places = new Map(records.map((record) => [`${record.partition}:${record.offset}`, record]));
  return acknowledged
    .filter((ledgered) => !isThere(ledgered, places.get(`${ledgered.partition}:${ledgered.offset}`)))
    .map(({ session, epoch, sequence, partition, offset }) => {
      const text = `${session}/${epoch}/${sequence} was acknowledged, and is not record ${partition}:${offset}`;
      return { wrong: 'acknowledged', count: 1, text };
    });
}

function isThere(ledgered: Acknowledged, record: TopicRecord | undefined): boolean {
  return (
    record !== undefined &&
    record.session === ledgered.session &&
    record.writer === ledgered.writer &&
    record.epoch === ledgered.epoch &&
    record.sequence === ledgered.sequence &&
    createHash('sha256').update(record.data).digest('hex') === ledgered.digest
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
