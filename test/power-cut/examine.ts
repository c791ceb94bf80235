import type { SessionId } from '../../src/domain/identifiers.ts';
import type { QueuedDelivery } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { type Histories, type Observation, prefixComplaints, readHistories } from '../crash/history.ts';
import { describeError } from './describe-error.ts';
import { commandsOf, type MainPath, openMainPath } from './main-path.ts';
import type { SmallStoreKind } from './small-stores.ts';

/** What the programme had been promised before the crash. */
export interface Promised {
  /** How many of the lines, which are published in order, were acknowledged. */
  readonly acknowledged: number;
  /** By partition the offset after the last delivery whose commit had resolved. */
  readonly committed: readonly (readonly [partition: number, next: number])[];
}

export const nothingPromised: Promised = { acknowledged: 0, committed: [] };

const limits = { deliveries: 500, bytes: 1024 * 1024 };

/**
 * Opens what a crash left behind with the real code, looks for anything that contradicts the promises, then lets the
 * worker catch up and finishes the work. Resolves with every complaint.
 */
export async function examine(
  directory: string,
  lines: readonly string[],
  promised: Promised,
  kind: SmallStoreKind,
): Promise<readonly string[]> {
  const histories = readHistories(lines);
  const complaints: string[] = [];
  try {
    await using path = await openMainPath(directory, kind);
    const queued = await heldDeliveries(path);
    const reached = leadingHeld(queued, lines);
    complaints.push(...queueComplaints(queued, reached, promised.acknowledged));
    complaints.push(...(await storeComplaints(path, histories, queued, promised)));
    await path.newPipeline().runUntilCaughtUp();
    complaints.push(...(await completenessComplaints(path.store, lines.slice(0, reached), 'caught up')));
    await path.queue.publish(commandsOf(lines.slice(reached)));
    await path.newPipeline().runUntilCaughtUp();
    complaints.push(...(await completenessComplaints(path.store, lines, 'finished')));
  } catch (error) {
    complaints.push(describeError(error));
  }
  return complaints;
}

/** Everything that is wrong when every session must have applied all of its commands among the lines. */
async function completenessComplaints(
  store: Store,
  lines: readonly string[],
  when: string,
): Promise<readonly string[]> {
  const histories = readHistories(lines);
  const observed = await observe(store);
  const complaints = [...prefixComplaints(histories, observed)];
  for (const [session, commands] of histories) {
    const last = observed.find((one) => one.session === session)?.last ?? 0;
    if (last !== commands.length) complaints.push(`${session} has applied ${last} of ${commands.length} commands`);
  }
  return complaints.map((complaint) => `${when}: ${complaint}`);
}

/** Everything the queue holds. */
export async function heldDeliveries({ queue }: MainPath): Promise<readonly QueuedDelivery[]> {
  const held: QueuedDelivery[] = [];
  for await (const batch of queue.replay({ limits })) held.push(...batch);
  return held;
}

/** How many of the lines, from the first on, the queue holds. */
export function leadingHeld(queued: readonly QueuedDelivery[], lines: readonly string[]): number {
  const held = namesOf(queued);
  const first = commandsOf(lines).findIndex(({ session, sequence }) => !held.has(`${session} ${sequence}`));
  return first < 0 ? lines.length : first;
}

function namesOf(queued: readonly QueuedDelivery[]): ReadonlySet<string> {
  return new Set(
    queued.map(({ content }) =>
      content.kind === 'numbered' ? `${content.session} ${content.sequence}` : content.kind,
    ),
  );
}

function queueComplaints(queued: readonly QueuedDelivery[], reached: number, acknowledged: number): readonly string[] {
  const complaints: string[] = [];
  if (reached < acknowledged)
    complaints.push(`${acknowledged} publishes were acknowledged, the queue holds ${reached}`);
  const { size } = namesOf(queued);
  if (reached < size) complaints.push(`the queue holds ${size} commands, but only the first ${reached} without a hole`);
  return complaints;
}

async function storeComplaints(
  { queue, store }: MainPath,
  histories: Histories,
  queued: readonly QueuedDelivery[],
  promised: Promised,
): Promise<readonly string[]> {
  const observed = await observe(store);
  const complaints = [...prefixComplaints(histories, observed)];
  const last = new Map(observed.map((one) => [one.session, one.last]));
  const positions = await store.readPositions(queue.source);
  for (const [partition, next] of promised.committed) {
    const stored = positions.get(partition)?.next ?? 0;
    if (stored < next)
      complaints.push(`partition ${partition} was committed up to ${next}, the store stands at ${stored}`);
  }
  for (const { content, position } of queued) {
    if (content.kind !== 'numbered') continue;
    const isConsumed = position.offset < (positions.get(position.partition)?.next ?? 0);
    const isApplied = content.sequence <= (last.get(content.session) ?? 0);
    if (isConsumed !== isApplied) {
      complaints.push(
        `${content.session} ${content.sequence} is ${isApplied ? '' : 'not '}applied, its position says otherwise`,
      );
    }
  }
  return complaints;
}

/** What the store says of every session it knows. */
export async function observe(store: Store): Promise<readonly Observation[]> {
  const observed: Observation[] = [];
  for (const [session, cursor] of await store.listCursors({ limit: 1000 })) {
    observed.push({ session, last: cursor.last, content: await contentOf(store, session) });
  }
  return observed;
}

async function contentOf(store: Store, session: SessionId): Promise<Observation['content']> {
  await using view = await store.openSession(session);
  if (view === undefined) return undefined;
  const log: string[] = [];
  for await (const page of view.log()) log.push(...page.map((entry) => Buffer.from(entry).toString('utf8')));
  const snapshot = await view.snapshot();
  return { log, snapshot: snapshot === undefined ? undefined : Buffer.from(snapshot).toString('utf8') };
}
