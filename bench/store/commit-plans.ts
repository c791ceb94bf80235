import { type Cursor, initialCursor, remember } from '../../src/domain/cursor.ts';
import { bytesDigest, type Digest, shortDigest } from '../../src/domain/digest.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';
import type { Plan, SessionChange, SourceId, StoredPosition } from '../../src/domain/plan.ts';
import { entryPool } from '../support/entries.ts';

const writer = '//bench/writer/0a1b2c3d4e5f' as Writer;
const source = 'bench' as SourceId;

interface Session {
  readonly session: SessionId;
  cursor: Cursor | undefined;
}

/**
 * Plans that append `count` entries, `perCommit` each, going round and round over the sessions: what a worker commits
 * of such a backlog, one cursor a touched session and one position a commit.
 */
export function* appendPlans(ids: readonly SessionId[], count: number, perCommit: number): Generator<Plan> {
  const sessions: Session[] = ids.map((session) => ({ session, cursor: undefined }));
  const entries = entryPool(4096);
  const digests = entries.map((entry) => bytesDigest(entry));
  let position: StoredPosition | undefined;
  for (let done = 0; done < count; done += perCommit) {
    const end = Math.min(done + perCommit, count);
    const touched = new Map<Session, { entries: Uint8Array[]; cursor: Cursor }>();
    for (let index = done; index < end; index += 1) {
      const session = sessions[index % sessions.length] as Session;
      const entry = entries[index % entries.length] as Uint8Array;
      const draft = touched.get(session) ?? { entries: [], cursor: session.cursor ?? newCursor };
      draft.entries.push(entry);
      draft.cursor = appended(draft.cursor, digests[index % digests.length] as Digest);
      touched.set(session, draft);
    }
    const to: StoredPosition = { next: end, digest: digests[0] as Digest };
    yield {
      changes: [...touched].map(([session, draft]) => change(session, draft.cursor, draft.entries)),
      unreadable: [],
      positions: [{ source, partition: 0, from: position, to }],
      tally: emptyTally,
    };
    position = to;
  }
}

const newCursor: Cursor = {
  ...initialCursor,
  presence: 'known',
  epoch: 1 as Epoch,
  writer,
  first: 1 as Sequence,
};

const emptyTally: Plan['tally'] = {
  applied: 0,
  duplicates: 0,
  parked: 0,
  drained: 0,
  claimed: 0,
  skipped: 0,
  deadLetters: { refused: 0, fenced: 0, unclaimed: 0, conflict: 0, skipped: 0, overflow: 0, 'stale decision': 0 },
};

function appended(cursor: Cursor, digest: Digest): Cursor {
  return {
    ...cursor,
    last: (cursor.last + 1) as Sequence,
    recent: remember(cursor.recent, shortDigest(digest)),
    entries: cursor.entries + 1,
    version: cursor.version + 1,
  };
}

function change(target: Session, after: Cursor, entries: readonly Uint8Array[]): SessionChange {
  const { session, cursor: before } = target;
  target.cursor = after;
  const nothing = { snapshot: undefined, receipt: undefined, anchor: undefined, parked: [], unparked: [], filed: [] };
  return { session, before, after, log: { reset: false, entries }, ...nothing };
}
