import {
  type ClaimCommand,
  type Command,
  claimType,
  commandId,
  type NumberedCommand,
  type NumberedType,
} from '../../src/domain/command.ts';
import type { Epoch, Sequence, SessionId, Writer } from '../../src/domain/identifiers.ts';

/** Commands of one life of a session, from its creation to its deletion. */
const lifeCommands = 100;
/** Lives after which another writer claims the session. */
const livesOfReign = 4;

/** Where a session of the workload stands. */
interface Standing {
  readonly session: SessionId;
  epoch: Epoch;
  last: number;
  /** Commands so far, the life before the first one included. */
  lived: number;
}

/**
 * Commands without end on the given sessions that live and die: created, appended to, saved, compacted,
 * deleted and created again, claimed by a new writer from time to time. What the sessions hold never grows, so
 * nothing else may either. Every hundredth command comes twice.
 */
export function* lives(sessions: readonly SessionId[]): Generator<Command, never> {
  // They start at different points of their lives, so that all times are alike.
  const standings = sessions.map(
    (session, index): Standing => ({
      session,
      epoch: 1 as Epoch,
      last: 0,
      lived: index % (lifeCommands * livesOfReign),
    }),
  );
  for (let made = 0; ; ) {
    for (const standing of standings) {
      const command = next(standing);
      yield command;
      made += 1;
      if (made % 100 === 0) yield command;
    }
  }
}

function next(standing: Standing): Command {
  const place = standing.lived % lifeCommands;
  const isReignOver = standing.last > 0 && standing.lived % (lifeCommands * livesOfReign) === 0;
  standing.lived += 1;
  if (isReignOver) return claim(standing);
  const [type, data] = step(place, standing);
  return numbered(standing, type, data);
}

function step(place: number, { session, lived }: Standing): readonly [NumberedType, string] {
  if (place === lifeCommands - 1) return ['macp.session.delete.v1', ''];
  if (place === 1) return ['macp.session.create.v1', ''];
  if (place === 2) return ['macp.receipt.store.v1', `receipt ${lived}`];
  if (place % 25 === 0) return ['macp.anchor.store.v1', `anchor ${lived}`];
  if (place === 50) return ['macp.log.replace.v1', `[${entry(lived)}]`];
  if (place % 10 === 0) return ['macp.session.save.v1', snapshot(session, lived)];
  return ['macp.log.append.v1', entry(lived)];
}

function numbered(standing: Standing, type: NumberedType, data: string): NumberedCommand {
  const { session, epoch } = standing;
  standing.last += 1;
  const sequence = standing.last as Sequence;
  const id = commandId(session, epoch, sequence);
  return { kind: 'numbered', type, session, writer: writerOf(epoch), epoch, sequence, id, data: Buffer.from(data) };
}

function claim(standing: Standing): ClaimCommand {
  standing.epoch = (standing.epoch + 1) as Epoch;
  const { session, epoch } = standing;
  const id = commandId(session, epoch, 'claim');
  return { kind: 'claim', type: claimType, session, writer: writerOf(epoch), epoch, id };
}

function writerOf(epoch: Epoch): Writer {
  return `//soak/writer/${epoch}` as Writer;
}

function entry(number: number): string {
  return (
    `{"message_id":"m${number}","received_at_ms":${number},"sender":"agent://lead","message_type":"Contribute",` +
    '"raw_payload":[1,2,3],"entry_kind":"Incoming"}'
  );
}

function snapshot(session: SessionId, number: number): string {
  return (
    `{"session_id":"${session}","state":"Open","ttl_expiry":${number},"started_at_unix_ms":1,"resolution":null,` +
    '"mode":"ext.multi_round.v1","mode_state":[],"participants":[],"seen_message_ids":[],"intent":"soak",' +
    '"mode_version":"1","configuration_version":"1","policy_version":"1","roots":[],"initiator_sender":"agent://lead"}'
  );
}
