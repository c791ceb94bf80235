import type { Cursor } from '../domain/cursor.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { DeadLetterReason, Decision } from '../domain/plan.ts';
import { obstacleOf, remediesFor } from '../domain/standing.ts';
import type { Blockage, SessionRow, SessionSummary, SkippedNumber } from '../ports/service.ts';
import type { SessionReader } from '../read-side/session-reader.ts';

/** Members of a snapshot that tell at a glance what the session is about; null where it lacks them. */
interface SnapshotMembers {
  readonly state: string | null;
  readonly mode: string | null;
}

/** Most numbers that a summary names. */
const mostSkipped = 100;

const noMembers: SnapshotMembers = { state: null, mode: null };

/** What a list of sessions tells of one. */
export function sessionRow(session: SessionId, cursor: Cursor, snapshot: Uint8Array | undefined): SessionRow {
  return {
    session_id: session,
    ...(snapshot === undefined ? noMembers : membersOf(snapshot)),
    last_sequence: cursor.last,
    log_entries: cursor.entries,
    blocked: blockageOf(cursor),
  };
}

/** Everything that is known of a session besides its data. `cursor` and `snapshot` are of one moment. */
export async function summarize(
  reader: SessionReader,
  session: SessionId,
  cursor: Cursor,
  snapshot: Uint8Array | undefined,
): Promise<SessionSummary> {
  return {
    session_id: session,
    presence: cursor.presence,
    epoch: cursor.epoch,
    writer: cursor.writer ?? null,
    last_sequence: cursor.last,
    halted: cursor.halted,
    refused_sequence: cursor.refused ? cursor.last + 1 : null,
    log_entries: cursor.entries,
    compaction_base: cursor.compactionBase,
    has_receipt: cursor.hasReceipt,
    has_anchor: cursor.hasAnchor,
    parked: { commands: cursor.parkedCommands, bytes: cursor.parkedBytes },
    ...(await countFiled(reader, session, cursor)),
    snapshot: snapshot === undefined ? null : { bytes: snapshot.length, ...membersOf(snapshot) },
    blocked: blockageOf(cursor),
    remedies: remediesFor(session, cursor),
  };
}

function blockageOf(cursor: Cursor): Blockage | null {
  const obstacle = obstacleOf(cursor);
  if (obstacle === undefined) return null;
  return { kind: obstacle.kind, sequence: obstacle.open, parked_commands: cursor.parkedCommands };
}

async function countFiled(
  reader: SessionReader,
  session: SessionId,
  { filed }: Cursor,
): Promise<Pick<SessionSummary, 'dead_letters' | 'decisions' | 'skipped'>> {
  const deadLetters: Partial<Record<DeadLetterReason, number>> = {};
  const skipped = new LatestSkipped();
  if (filed > 0) {
    for await (const record of reader.filed(session)) {
      if (record.kind === 'decision') skipped.add(record);
      else deadLetters[record.reason] = (deadLetters[record.reason] ?? 0) + 1;
    }
  }
  return { dead_letters: deadLetters, decisions: skipped.total, skipped: skipped.numbers };
}

/** Keeps the latest of the numbers that were passed over, whatever order they come in. */
class LatestSkipped {
  total = 0;
  #numbers: SkippedNumber[] = [];

  add({ sequence, epoch, by, reason }: Decision): void {
    this.total += 1;
    this.#numbers.push({ sequence, epoch, by, reason });
    if (this.#numbers.length >= 2 * mostSkipped) this.#numbers = this.numbers;
  }

  get numbers(): SkippedNumber[] {
    return this.#numbers.sort((one, other) => one.sequence - other.sequence).slice(-mostSkipped);
  }
}

function membersOf(snapshot: Uint8Array): SnapshotMembers {
  const bytes = Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  const { state, mode }: { readonly state?: unknown; readonly mode?: unknown } = JSON.parse(bytes.toString('utf8'));
  return { state: typeof state === 'string' ? state : null, mode: typeof mode === 'string' ? mode : null };
}
