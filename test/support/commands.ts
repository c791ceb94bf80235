import {
  type ClaimCommand,
  claimType,
  commandId,
  type NumberedCommand,
  type NumberedType,
  type SkipCommand,
  skipType,
} from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';

export interface Reigning {
  readonly session?: string;
  readonly writer?: string;
  readonly epoch?: number;
}

const defaults = { session: 'a-session-of-the-tests-1', writer: '//test/one', epoch: 1 } as const;

/** A numbered command with its data as text. */
export function numbered(type: NumberedType, sequence: number, data: string, reign: Reigning = {}): NumberedCommand {
  const session = (reign.session ?? defaults.session) as SessionId;
  const epoch = (reign.epoch ?? defaults.epoch) as Epoch;
  return {
    kind: 'numbered',
    type,
    session,
    writer: (reign.writer ?? defaults.writer) as Writer,
    epoch,
    sequence: sequence as Sequence,
    id: commandId(session, epoch, sequence as Sequence),
    data: Buffer.from(data, 'utf8'),
  };
}

export function create(sequence: number, reign: Reigning = {}): NumberedCommand {
  return numbered('macp.session.create.v1', sequence, '', reign);
}

export function append(sequence: number, mark: string, reign: Reigning = {}): NumberedCommand {
  return numbered('macp.log.append.v1', sequence, entryText(mark), reign);
}

export function save(sequence: number, mark: string, reign: Reigning = {}): NumberedCommand {
  return numbered('macp.session.save.v1', sequence, snapshotText(mark, reign.session ?? defaults.session), reign);
}

export function replace(sequence: number, marks: readonly string[], reign: Reigning = {}): NumberedCommand {
  return numbered('macp.log.replace.v1', sequence, `[${marks.map(entryText).join(',')}]`, reign);
}

export function claim(epoch: number, writer: string, session: string = defaults.session): ClaimCommand {
  return {
    kind: 'claim',
    type: claimType,
    session: session as SessionId,
    writer: writer as Writer,
    epoch: epoch as Epoch,
    id: commandId(session as SessionId, epoch as Epoch, 'claim'),
  };
}

export function skip(sequence: number, epoch: number, id: string, session: string = defaults.session): SkipCommand {
  const decision = { sequence: sequence as Sequence, epoch: epoch as Epoch, by: 'operator', reason: 'lost' };
  return {
    kind: 'skip',
    type: skipType,
    session: session as SessionId,
    source: '//test/operator' as Writer,
    id,
    decision,
    data: Buffer.from(JSON.stringify(decision), 'utf8'),
  };
}

/** A valid log entry that carries `mark` as its message id. */
export function entryText(mark: string): string {
  return (
    `{"message_id":${JSON.stringify(mark)},"received_at_ms":1,"sender":"agent://lead","message_type":"Contribute",` +
    '"raw_payload":[1,2,3],"entry_kind":"Incoming"}'
  );
}

/** A valid snapshot that carries `mark` as its intent. */
export function snapshotText(mark: string, session: string): string {
  return (
    `{"session_id":${JSON.stringify(session)},"state":"Open","ttl_expiry":1,"started_at_unix_ms":1,"resolution":null,` +
    '"mode":"ext.multi_round.v1","mode_state":[],"participants":[],"seen_message_ids":[],' +
    `"intent":${JSON.stringify(mark)},"mode_version":"1","configuration_version":"1","policy_version":"1",` +
    '"roots":[],"initiator_sender":"agent://lead"}'
  );
}
