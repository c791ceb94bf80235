import type { SessionReader } from '../compose/reader.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import type { DeadLetterReason } from '../domain/plan.ts';
import { printText } from './safe-text.ts';

/** What `sessions show` tells. */
export interface SessionSummary {
  readonly session_id: string;
  readonly presence: 'unknown' | 'known' | 'deleted';
  readonly epoch: number;
  readonly writer: string | null;
  readonly last_sequence: number;
  readonly halted: boolean;
  readonly refused_sequence: number | null;
  readonly log_entries: number;
  readonly compaction_base: number;
  readonly has_receipt: boolean;
  readonly has_anchor: boolean;
  readonly parked: { readonly commands: number; readonly bytes: number };
  readonly dead_letters: Readonly<Partial<Record<DeadLetterReason, number>>>;
  readonly decisions: number;
  /** A few members of the snapshot, where there is one. */
  readonly snapshot: { readonly bytes: number; readonly state: unknown; readonly mode: unknown } | null;
}

/** Reads what the store knows of a session. Throws `SESSION_NOT_FOUND` when it has never heard of it. */
export async function sessionSummary(reader: SessionReader, session: SessionId): Promise<SessionSummary> {
  const cursor = await reader.cursor(session);
  if (cursor.version === 0) {
    throw new PersistenceError('SESSION_NOT_FOUND', `session ${JSON.stringify(session)} does not exist in this store`);
  }
  const deadLetters: Partial<Record<DeadLetterReason, number>> = {};
  let decisions = 0;
  for await (const record of reader.filed(session)) {
    if (record.kind === 'decision') decisions += 1;
    else deadLetters[record.reason] = (deadLetters[record.reason] ?? 0) + 1;
  }
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
    dead_letters: deadLetters,
    decisions,
    snapshot: snapshotSummary(await reader.loadSession(session)),
  };
}

function snapshotSummary(bytes: Uint8Array | undefined): SessionSummary['snapshot'] {
  if (bytes === undefined) return null;
  const document: { readonly state?: unknown; readonly mode?: unknown } = JSON.parse(
    Buffer.from(bytes).toString('utf8'),
  );
  return { bytes: bytes.length, state: document.state, mode: document.mode };
}

/** The summary as lines for people. */
export function describeSession(summary: SessionSummary): readonly string[] {
  const { snapshot, parked, dead_letters: deadLetters } = summary;
  const reasons = Object.entries(deadLetters).map(([reason, count]) => `${reason} ${count}`);
  const blocked = summary.halted
    ? 'halted by a conflict until a claim'
    : summary.refused_sequence === null
      ? 'no'
      : `number ${summary.refused_sequence} was refused`;
  const rows: readonly (readonly [string, string])[] = [
    ['session', printText(summary.session_id)],
    ['presence', summary.presence],
    [
      'snapshot',
      snapshot === null
        ? 'none'
        : `${printText(String(snapshot.state))}, mode ${printText(String(snapshot.mode))}, ${snapshot.bytes} bytes`,
    ],
    ['log', `${summary.log_entries} entries, accepted messages up to ${summary.compaction_base} compacted away`],
    ['writer', summary.writer === null ? 'none yet' : `${printText(summary.writer)}, epoch ${summary.epoch}`],
    ['last sequence', String(summary.last_sequence)],
    ['blocked', blocked],
    ['parked', `${parked.commands} commands, ${parked.bytes} bytes`],
    ['dead letters', reasons.length === 0 ? 'none' : reasons.join(', ')],
    ['decisions', String(summary.decisions)],
    ['receipt', summary.has_receipt ? 'yes' : 'no'],
    ['anchor', summary.has_anchor ? 'yes' : 'no'],
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)} ${value}`);
}
