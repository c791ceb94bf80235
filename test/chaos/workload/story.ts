import { Random } from '../../power-cut/random.ts';

/** What is going to be written, all of it known from the seed: whoever goes on for a killed publisher knows the rest. */
export interface Story {
  readonly seed: number;
  readonly sessions: number;
  /** Commands of each session. */
  readonly commands: number;
}

export type StoryType =
  | 'macp.session.create.v1'
  | 'macp.log.append.v1'
  | 'macp.session.save.v1'
  | 'macp.log.replace.v1';

/** Command `sequence` of a session: its number stands in the data as well. */
export interface StoryCommand {
  readonly session: string;
  readonly sequence: number;
  readonly type: StoryType;
  readonly data: string;
}

/** The name of the session with this index; some do not fit into ASCII. */
export function sessionOf({ seed }: Story, index: number): string {
  const number = index.toString().padStart(6, '0');
  return index % 10 === 0 ? `chaos-${seed}-séance-${number}` : `chaos-${seed}-session-${number}`;
}

/** Command `sequence`, from 1, of the session with this index. */
export function commandOf(story: Story, index: number, sequence: number): StoryCommand {
  const session = sessionOf(story, index);
  const random = new Random(((story.seed * 1009 + index) * 1009 + sequence) | 0);
  if (sequence === 1) return { session, sequence, type: 'macp.session.create.v1', data: '' };
  const chance = random.below(100);
  if (chance < 12)
    return { session, sequence, type: 'macp.session.save.v1', data: snapshot(session, sequence, random) };
  // A replacement hides what was wrong before it: most sessions have none.
  if (chance < 15 && index % 5 === 1) {
    const entries = [1, 2, 3].map((part) => entry(session, `${sequence}.${part}`, random));
    return { session, sequence, type: 'macp.log.replace.v1', data: `[${entries.join(',')}]` };
  }
  return { session, sequence, type: 'macp.log.append.v1', data: entry(session, `${sequence}`, random) };
}

/** About 850 bytes, as recorded entries have. */
function entry(session: string, number: string, random: Random): string {
  return JSON.stringify({
    message_id: `m-${number}`,
    received_at_ms: 1_795_486_749_294 + random.below(1_000_000),
    sender: random.below(2) === 0 ? 'agent://lead' : 'agent://prüfer-„zwei“',
    message_type: 'Contribute',
    raw_payload: bytes(120 + random.below(100), random),
    entry_kind: 'Incoming',
    session_id: session,
    mode: 'ext.multi_round.v1',
    macp_version: '1.0',
    timestamp_unix_ms: 1_795_486_749_000,
  });
}

function snapshot(session: string, sequence: number, random: Random): string {
  return JSON.stringify({
    session_id: session,
    state: 'Open',
    ttl_expiry: 1,
    started_at_unix_ms: 1,
    resolution: null,
    mode: 'ext.multi_round.v1',
    mode_state: bytes(200, random),
    participants: ['agent://lead', 'agent://prüfer-„zwei“'],
    seen_message_ids: [`m-${sequence}`],
    intent: `the session after command ${sequence}`,
    mode_version: '1',
    configuration_version: '1',
    policy_version: '1',
    roots: [],
    initiator_sender: 'agent://lead',
  });
}

function bytes(length: number, random: Random): readonly number[] {
  return Array.from({ length }, () => random.below(256));
}
