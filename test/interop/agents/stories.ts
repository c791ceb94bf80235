import { createHash } from 'node:crypto';
import { goldenCommands } from '../command-stream.ts';
import { decodeMessage } from '../protocol-buffers.ts';
import { type Ruling, type SentMessage, tokenOf } from '../runtime-client.ts';

/** One thing that an agent asks of a runtime. Each leaves one mark in what is stored. */
export type Step =
  | { readonly kind: 'send'; readonly message: Omit<SentMessage, 'session' | 'sentAt'> }
  | { readonly kind: 'rule'; readonly ruling: Ruling; readonly reason: string; readonly by: string }
  /** Asks for the receipt of a decision, which is stored with that. */
  | { readonly kind: 'receipt'; readonly by: string };

/** What is asked in one session, from its start on. Nothing in it depends on the session's id, or on a clock. */
export interface Story {
  readonly name: string;
  readonly mode: string;
  readonly steps: readonly Step[];
}

interface Entry {
  readonly entry_kind: string;
  readonly message_type: string;
  readonly message_id: string;
  readonly sender: string;
  readonly mode: string;
  readonly raw_payload: readonly number[];
}

/** The message that the runtime writes of each ruling. */
export const messageOf = { cancel: 'SessionCancel', suspend: 'SessionSuspend', resume: 'SessionResume' } as const;

const rulings = ['cancel', 'suspend', 'resume'] as const;

/**
 * The sessions that a macp-runtime 0.13.0 recorded, as what its agents asked for. Those that time ended are left out,
 * and those of a policy that somebody has to register at every start.
 */
export function recordedStories(): readonly Story[] {
  const logs = new Map<string, Entry[]>();
  for (const { type, session, data } of goldenCommands('v0.13.0')) {
    if (type !== 'macp.log.append.v1') continue;
    const entry = JSON.parse(Buffer.from(data).toString('utf8'));
    logs.set(session, [...(logs.get(session) ?? []), entry]);
  }
  return [...logs].flatMap(([name, log]) => (needsMore(log) ? [] : [storyOf(name, log)]));
}

function needsMore(log: readonly Entry[]): boolean {
  const start = Buffer.from(log[0]?.raw_payload ?? []).toString('utf8');
  return start.includes('policy.own') || log.some(({ message_type }) => message_type === 'TtlExpired');
}

function storyOf(name: string, log: readonly Entry[]): Story {
  const steps = log.flatMap(stepOf);
  const [first] = log;
  if (first === undefined) throw new RangeError(`${name} has no start`);
  const isDecided = log.some(({ message_type }) => message_type === 'Commitment');
  if (isDecided && givesReceipts(first.mode)) steps.push({ kind: 'receipt', by: first.sender });
  return { name, mode: first.mode, steps };
}

/** Of an extension mode's decisions there are none. */
function givesReceipts(mode: string): boolean {
  return mode.startsWith('macp.mode.');
}

/** A checkpoint is nothing that anybody asked for. */
function stepOf({ entry_kind, message_type: type, message_id: id, sender, mode, raw_payload }: Entry): Step[] {
  const payload = Uint8Array.from(raw_payload);
  if (entry_kind === 'Incoming') return [{ kind: 'send', message: { mode, type, id, sender, payload } }];
  const ruling = rulings.find((one) => messageOf[one] === type);
  if (ruling === undefined) return [];
  const { reason, by } = grounds(payload);
  return [{ kind: 'rule', ruling, reason, by }];
}

/** Why, and by whom, a session was cancelled, suspended or resumed, as the runtime notes it in the log. */
export function grounds(payload: Uint8Array): { readonly reason: string; readonly by: string } {
  const fields = decodeMessage(payload);
  const [reason = '', by = ''] = [1, 2].map((wanted) => {
    const value = fields.find(([number]) => number === wanted)?.[1];
    return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '';
  });
  return { reason, by };
}

/** The state that a ruling brings its session into. */
export const stateAfter = { cancel: 'Cancelled', suspend: 'Suspended', resume: 'Open' } as const;

/** A session id of upstream's, always the same for the same words. */
export function sessionIdOf(...words: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('base64url').slice(0, 24);
}

/** Makes a runtime know the agents of these stories, names that are not ASCII included. */
export function knowingAgents(stories: readonly Story[]): Readonly<Record<string, string>> {
  const senders = stories.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'send' ? step.message.sender : [])),
  );
  const tokens = [...new Set(senders)].map((sender) => ({ token: tokenOf(sender), sender }));
  return { MACP_AUTH_TOKENS_JSON: JSON.stringify({ tokens }) };
}
