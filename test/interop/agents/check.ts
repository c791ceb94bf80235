import { isDeepStrictEqual } from 'node:util';
import type { Carried } from './agents.ts';
import { grounds, messageOf, type Step, stateAfter } from './stories.ts';

/** What can be wrong with a store, by what agents know. */
export type Wrong = 'lost' | 'doubled' | 'reordered' | 'changed' | 'foreign' | 'state' | 'receipt';

export interface Complaint {
  readonly wrong: Wrong;
  readonly session: string;
  readonly detail: string;
}

/** What a line of a dump says of a session (`upstreamLine`). */
interface Dumped {
  readonly session_id: string;
  readonly log: readonly DumpedEntry[];
  readonly session: { readonly state: string } | null;
  readonly receipt: readonly number[] | null;
}

interface DumpedEntry {
  readonly entry_kind: 'Incoming' | 'Internal' | 'Checkpoint';
  readonly message_id: string;
  readonly message_type: string;
  readonly sender: string;
  readonly raw_payload: readonly number[];
  readonly compacted_incoming_ordinals: number;
}

/**
 * Holds the dump of a store, one line a session, against what agents were told. What was acknowledged has to be in the
 * log once, in its order and as it was sent; what was asked for and not acknowledged may be there; nothing else may.
 * Of a log that was compacted only its number and the ids are left. Snapshots count as a runtime leaves them that has
 * recovered: while it works they may lag behind.
 */
export function check(carried: readonly Carried[], dump: readonly string[]): readonly Complaint[] {
  const stored = new Map(dump.map((line): [string, Dumped] => [JSON.parse(line).session_id, JSON.parse(line)]));
  const known = new Set(carried.map(({ session }) => session));
  const foreign = [...stored.keys()].filter((session) => !known.has(session));
  return [
    ...foreign.map((session): Complaint => ({ wrong: 'foreign', session, detail: 'nobody began it' })),
    ...carried.flatMap((one) => checkSession(one, stored.get(one.session))),
  ];
}

function checkSession(carried: Carried, stored: Dumped | undefined): readonly Complaint[] {
  const { session, story, acknowledged, asked } = carried;
  const complain = (wrong: Wrong, detail: string): Complaint => ({
    wrong,
    session,
    detail: `${story.name}: ${detail}`,
  });
  const logged = story.steps.slice(0, asked).flatMap((step) => markOf(step) ?? []);
  const least = story.steps.slice(0, acknowledged).filter((step) => markOf(step) !== undefined).length;
  const marks = stored?.log.flatMap((entry) => storedMark(entry) ?? []) ?? [];
  const compacted = stored?.log.length === 1 ? stored.log[0] : undefined;
  if (compacted?.entry_kind === 'Checkpoint') {
    return [...checkCompacted(compacted, logged, complain), ...checkRest(carried, stored, logged.length, complain)];
  }
  const complaints = checkMarks(marks, logged, least, complain);
  return complaints.length > 0 ? complaints : checkRest(carried, stored, marks.length, complain);
}

type Complain = (wrong: Wrong, detail: string) => Complaint;

/** What a step leaves in the log. */
interface Mark {
  readonly name: string;
  readonly content: readonly unknown[];
  /** The id of the message; of what the runtime itself added, none. */
  readonly message: string | undefined;
}

function markOf(step: Step): Mark | undefined {
  if (step.kind === 'receipt') return undefined;
  if (step.kind === 'send') {
    const { type, id, sender, payload } = step.message;
    return { name: `${type} ${id}`, content: [type, sender, [...payload]], message: id };
  }
  const type = messageOf[step.ruling];
  return { name: type, content: [type, step.reason, step.by], message: undefined };
}

function storedMark(entry: DumpedEntry): Mark | undefined {
  const { entry_kind, message_type: type, message_id: id, sender, raw_payload } = entry;
  if (entry_kind === 'Checkpoint') return undefined;
  if (entry_kind === 'Incoming') {
    return { name: `${type} ${id}`, content: [type, sender, [...raw_payload]], message: id };
  }
  const { reason, by } = grounds(Uint8Array.from(raw_payload));
  return { name: type, content: [type, reason, by], message: undefined };
}

/** The marks have to be the first ones of what was asked for, at least as many as were acknowledged. */
function checkMarks(marks: readonly Mark[], asked: readonly Mark[], least: number, complain: Complain): Complaint[] {
  const isBeginning = marks.every((mark, index) => isDeepStrictEqual(mark, asked[index]));
  if (isBeginning && marks.length >= least) return [];
  const count = (all: readonly Mark[], { name }: Mark): number => all.filter((mark) => mark.name === name).length;
  const complaints: Complaint[] = [];
  for (const mark of new Map([...asked.slice(0, least), ...marks].map((one) => [one.name, one])).values()) {
    const [found, wanted] = [count(marks, mark), count(asked, mark)];
    if (wanted === 0) complaints.push(complain('foreign', `${mark.name} was never sent`));
    else if (found > wanted) complaints.push(complain('doubled', `${mark.name} is there ${found} times`));
    else if (found < count(asked.slice(0, least), mark)) complaints.push(complain('lost', `${mark.name} is missing`));
  }
  if (complaints.length > 0) return complaints;
  const sameNames = marks.every(({ name }, index) => name === asked[index]?.name);
  const names = marks.map(({ name }) => name).join(', ');
  return [complain(sameNames ? 'changed' : 'reordered', names)];
}

function checkCompacted(checkpoint: DumpedEntry, asked: readonly Mark[], complain: Complain): Complaint[] {
  const sent = asked.flatMap(({ message }) => message ?? []);
  const { seen_message_ids: seen } = JSON.parse(Buffer.from(checkpoint.raw_payload).toString('utf8'));
  const { compacted_incoming_ordinals: compacted } = checkpoint;
  const complaints: Complaint[] = [];
  if (compacted > sent.length) complaints.push(complain('doubled', `${compacted} of ${sent.length} were compacted`));
  if (compacted < sent.length) complaints.push(complain('lost', `${compacted} of ${sent.length} were compacted`));
  const [found, wanted] = [[...seen].sort(), [...sent].sort()];
  if (!isDeepStrictEqual(found, wanted)) complaints.push(complain('changed', `it has seen ${found}`));
  return complaints;
}

/** The snapshot has to be of the log's end, and the receipt there that was issued. */
function checkRest(carried: Carried, stored: Dumped | undefined, marks: number, complain: Complain): Complaint[] {
  const complaints: Complaint[] = [];
  const state = endState(carried.story.steps.slice(0, marks));
  const found = stored?.session?.state;
  if (marks > 0 && found !== state) complaints.push(complain('state', `${found} in place of ${state}`));
  const receipt = stored?.receipt == null ? undefined : Buffer.from(stored.receipt).toString('utf8');
  if (carried.receipt !== undefined && receipt !== carried.receipt) {
    complaints.push(complain('receipt', `${receipt} in place of ${carried.receipt}`));
  }
  return complaints;
}

function endState(steps: readonly Step[]): string {
  const last = steps.findLast((step) => step.kind !== 'receipt');
  if (last?.kind === 'rule') return stateAfter[last.ruling];
  return last?.message.type === 'Commitment' ? 'Resolved' : 'Open';
}
