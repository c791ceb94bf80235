import { keptIdentity } from './deliveries.ts';
import { identity } from './naive-delivery.ts';
import type { NaiveModel } from './naive-model.ts';
import { type NaiveReign, type NaiveSession, parkedBytes } from './naive-session.ts';
import type { PlanStore, StoredSession } from './plan-store.ts';

/** Everything that may be seen of one session from outside, in one shape for the model and for the rule. */
export interface SessionFacts {
  readonly presence: string;
  readonly epoch: number;
  readonly writer: string | undefined;
  readonly first: number;
  readonly last: number;
  readonly earlier: readonly NaiveReign[];
  readonly skipped: readonly number[];
  readonly halted: boolean;
  readonly refused: boolean;
  readonly entries: number;
  readonly compactionBase: number;
  readonly hasReceipt: boolean;
  readonly hasAnchor: boolean;
  readonly parkedCommands: number;
  readonly parkedBytes: number;
  readonly filed: number;
  readonly log: readonly string[];
  readonly snapshot: string | undefined;
  readonly receipt: string | undefined;
  readonly anchor: string | undefined;
  /** Sequence and identity of what waits. */
  readonly parked: readonly string[];
  /** Reason and identity of each dead letter and decision. */
  readonly records: readonly string[];
}

/** Sessions by id, and the dead letters that name none. */
export interface Facts {
  readonly sessions: Readonly<Record<string, SessionFacts>>;
  readonly homeless: readonly string[];
}

export function factsOfModel(model: NaiveModel): Facts {
  return {
    sessions: byId([...model.sessions].map(([id, session]) => [id, factsOfNaive(session)])),
    homeless: [...model.homeless].sort(),
  };
}

function factsOfNaive(session: NaiveSession): SessionFacts {
  return {
    presence: session.presence,
    epoch: session.epoch,
    writer: session.writer,
    first: session.epoch === 0 ? 0 : session.lastAtClaim + 1,
    last: session.last,
    earlier: session.earlier,
    skipped: [...session.skipped].sort((one, other) => one - other),
    halted: session.halted,
    refused: session.refused,
    entries: session.log.length,
    compactionBase: Math.max(0, ...session.log.map(compactedBy)),
    hasReceipt: session.receipt !== undefined,
    hasAnchor: session.anchor !== undefined,
    parkedCommands: session.parked.size,
    parkedBytes: parkedBytes(session),
    filed: session.deadLetters.size + session.decisions.size,
    log: session.log,
    snapshot: session.snapshot,
    receipt: session.receipt,
    anchor: session.anchor,
    parked: [...session.parked].map(([sequence, command]) => `${sequence}: ${identity(command)}`).sort(),
    records: [
      ...[...session.deadLetters].map(([identity, reason]) => `${reason}: ${identity}`),
      ...[...session.decisions].map((id) => `decided: ${id}`),
    ].sort(),
  };
}

function compactedBy(entry: string): number {
  const { entry_kind, compacted_incoming_ordinals } = JSON.parse(entry) as Record<string, unknown>;
  return entry_kind === 'Checkpoint' && typeof compacted_incoming_ordinals === 'number'
    ? compacted_incoming_ordinals
    : 0;
}

export function factsOfStore(store: PlanStore): Facts {
  return {
    sessions: byId([...store.sessions].map(([id, session]) => [id, factsOfStored(session)])),
    homeless: [...store.homeless.values()].map(({ message }) => keptIdentity(message)).sort(),
  };
}

function factsOfStored(session: StoredSession): SessionFacts {
  const { cursor } = session;
  return {
    presence: cursor.presence,
    epoch: cursor.epoch,
    writer: cursor.writer,
    first: cursor.first,
    last: cursor.last,
    earlier: cursor.earlier,
    skipped: cursor.skipped.flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index),
    ),
    halted: cursor.halted,
    refused: cursor.refused,
    entries: cursor.entries,
    compactionBase: cursor.compactionBase,
    hasReceipt: cursor.hasReceipt,
    hasAnchor: cursor.hasAnchor,
    parkedCommands: cursor.parkedCommands,
    parkedBytes: cursor.parkedBytes,
    filed: cursor.filed,
    log: session.log.map(text),
    snapshot: optionalText(session.snapshot),
    receipt: optionalText(session.receipt),
    anchor: optionalText(session.anchor),
    parked: [...session.parked.values()]
      .map((command) => `${command.sequence}: ${keptIdentity(command.message)}`)
      .sort(),
    records: [...session.filed.values()]
      .map((record) =>
        record.kind === 'decision' ? `decided: ${record.reason}` : `${record.reason}: ${keptIdentity(record.message)}`,
      )
      .sort(),
  };
}

/** What a reader of sessions sees; dead letters and what waits left out. */
export function dataOf(facts: Facts): Readonly<Record<string, Partial<SessionFacts>>> {
  return Object.fromEntries(
    Object.entries(facts.sessions).map(([id, { presence, log, snapshot, receipt, anchor }]) => [
      id,
      { presence, log, snapshot, receipt, anchor },
    ]),
  );
}

function byId(sessions: readonly (readonly [string, SessionFacts])[]): Record<string, SessionFacts> {
  return Object.fromEntries(sessions.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function optionalText(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : text(bytes);
}
