import { commandId, type NumberedCommand } from '../../src/domain/command.ts';
import type { Epoch, Sequence, Writer } from '../../src/domain/identifiers.ts';
import { decodeEvent, encodeEvent, messageOfEvent } from '../../src/domain/wire/structured.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { systemClock } from '../../src/platform/system-clock.ts';
import type { QueuedDelivery } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { rawDelivery, ScriptedQueue } from '../support/scripted-queue.ts';
import { goldenLines } from '../unit/wire/golden.ts';
import { jsonText, parseJson } from './json-tree.ts';
import type { StoredSession } from './upstream-view.ts';

/** What is written, in order: enough of a command for our worker and for upstream's calls. */
export type Written = Pick<NumberedCommand, 'type' | 'session' | 'data'>;

/** The commands that a real macp-runtime made, or the synthetic ones. */
export function goldenCommands(folder: Parameters<typeof goldenLines>[0]): readonly Written[] {
  return goldenLines(folder).map((line) => {
    const content = decodeEvent(line);
    if (content.kind !== 'numbered') throw new TypeError(`not a numbered command: ${content.kind}`);
    return content as Written;
  });
}

/** The same as calls of `StorageBackend`, one line each. */
export function upstreamCalls(commands: readonly Written[]): string {
  return commands.map((command) => `${upstreamCall(command)}\n`).join('');
}

function upstreamCall({ type, session, data }: Written): string {
  const [id, text] = [JSON.stringify(session), Buffer.from(data).toString('utf8')];
  switch (type) {
    case 'macp.session.create.v1':
      return `{"op":"create_session","session_id":${id}}`;
    case 'macp.log.append.v1':
      return `{"op":"append_log","session_id":${id},"entry":${text}}`;
    case 'macp.session.save.v1':
      return `{"op":"save_session","session":${text}}`;
    case 'macp.log.replace.v1':
      return `{"op":"replace_log","session_id":${id},"entries":${text}}`;
    case 'macp.session.delete.v1':
      return `{"op":"delete_session","session_id":${id}}`;
    case 'macp.receipt.store.v1':
      return `{"op":"store_receipt","session_id":${id},"receipt":[${data.join(',')}]}`;
    case 'macp.anchor.store.v1':
      return `{"op":"store_anchor","session_id":${id},"anchor":[${data.join(',')}]}`;
  }
}

/** The sessions that are there in the end, sorted by id. */
export function fold(commands: readonly Written[]): readonly StoredSession[] {
  const sessions = new Map<string, StoredSession>();
  for (const { type, session: id, data } of commands) {
    const known = sessions.get(id);
    const before = known ?? { id, log: [], snapshot: undefined, receipt: undefined, anchor: undefined };
    const text = Buffer.from(data).toString('utf8');
    if (type === 'macp.session.delete.v1') sessions.delete(id);
    else if (type === 'macp.log.append.v1') sessions.set(id, { ...before, log: [...before.log, text] });
    else if (type === 'macp.log.replace.v1') sessions.set(id, { ...before, log: entriesOf(text) });
    else if (type === 'macp.session.save.v1') sessions.set(id, { ...before, snapshot: text });
    else if (type === 'macp.session.create.v1') sessions.set(id, before);
    else if (known === undefined) continue;
    else if (type === 'macp.anchor.store.v1') sessions.set(id, { ...before, anchor: data });
    else if (type === 'macp.receipt.store.v1') sessions.set(id, { ...before, receipt: before.receipt ?? data });
  }
  return [...sessions.values()].sort((one, other) => Buffer.compare(Buffer.from(one.id), Buffer.from(other.id)));
}

function entriesOf(array: string): readonly string[] {
  const tree = parseJson(array);
  if (tree.kind !== 'array') throw new TypeError('no array of entries');
  return tree.items.map(jsonText);
}

/** The commands as events, numbered by session. */
function* events(commands: Iterable<Written>): Generator<Uint8Array> {
  const numbers = new Map<string, number>();
  for (const { type, session, data } of commands) {
    const sequence = ((numbers.get(session) ?? 0) + 1) as Sequence;
    numbers.set(session, sequence);
    const id = commandId(session, epoch, sequence);
    yield encodeEvent({ kind: 'numbered', type, session, data, writer, epoch, sequence, id });
  }
}

const writer = '//interop' as Writer;
const epoch = 1 as Epoch;

/** Has a worker persist the commands, as it takes them from a queue: by the wire, in batches. */
export async function persist(store: Store, commands: Iterable<Written>): Promise<void> {
  const queue = new ScriptedQueue('interop');
  let batch: QueuedDelivery[] = [];
  for (const line of events(commands)) {
    batch.push(rawDelivery(decodeEvent(line), messageOfEvent(line), queue.nextPosition()));
    if (batch.length < 500) continue;
    queue.addDeliveries(batch);
    batch = [];
  }
  queue.addDeliveries(batch);
  const options = { limits: { deliveries: 500, bytes: 64e6 }, cachedSessions: 100 };
  const backoff = { initial: 1, maximum: 1 };
  await using pipeline = new Pipeline({ queue, store, clock: systemClock, backoff, ...options });
  await pipeline.runUntilCaughtUp();
}
