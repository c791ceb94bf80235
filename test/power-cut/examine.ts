import type { SessionId } from '../../src/domain/identifiers.ts';
import type { QueuedDelivery } from '../../src/ports/queue.ts';
import type { Store } from '../../src/ports/store.ts';
import { type Histories, type Observation, prefixComplaints, readHistories } from '../crash/history.ts';
import { commandsOf, type MainPath, openMainPath } from './main-path.ts';

const limits = { deliveries: 500, bytes: 1024 * 1024 };

/**
 * Opens what a crash left behind with the real code, looks for anything that contradicts the promises, then lets the
 * worker catch up and finishes the work. `acknowledged`: how many of the lines, which were published in order, had
 * been acknowledged. Resolves with every complaint.
 */
export async function examine(
  directory: string,
  lines: readonly string[],
  acknowledged: number,
): Promise<readonly string[]> {
  const histories = readHistories(lines);
  try {
    await using path = await openMainPath(directory);
    const queued = await heldDeliveries(path);
    const complaints = [
      ...queueComplaints(queued, lines, acknowledged),
      ...(await storeComplaints(path, histories, queued)),
    ];
    await path.newPipeline().runUntilCaughtUp();
    complaints.push(...(await completenessComplaints(path.store, lines.slice(0, queued.length), 'caught up')));
    await path.queue.publish(commandsOf(lines.slice(queued.length)));
    await path.newPipeline().runUntilCaughtUp();
    complaints.push(...(await completenessComplaints(path.store, lines, 'finished')));
    return complaints;
  } catch (error) {
    return [describe(error)];
  }
}

/** An error with everything that caused it, in one line. */
export function describe(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    parts.push(at instanceof Error && 'code' in at ? `${String(at.code)} ${at.message}` : String(at));
  }
  return parts.join(' <- ');
}

/** Everything that is wrong when every session must have applied all of its commands among the lines. */
export async function completenessComplaints(
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

async function heldDeliveries({ queue }: MainPath): Promise<readonly QueuedDelivery[]> {
  const held: QueuedDelivery[] = [];
  for await (const batch of queue.replay({ limits })) held.push(...batch);
  return held;
}

function queueComplaints(
  queued: readonly QueuedDelivery[],
  lines: readonly string[],
  acknowledged: number,
): readonly string[] {
  const complaints: string[] = [];
  if (queued.length < acknowledged)
    complaints.push(`${acknowledged} publishes were acknowledged, the queue holds ${queued.length}`);
  const held = new Set(
    queued.map(({ content }) =>
      content.kind === 'numbered' ? `${content.session} ${content.sequence}` : content.kind,
    ),
  );
  const expected = commandsOf(lines.slice(0, queued.length)).map(({ session, sequence }) => `${session} ${sequence}`);
  const missing = expected.filter((name) => !held.has(name));
  if (missing.length > 0) complaints.push(`the queue is no prefix of what was published: ${missing.join(', ')}`);
  return complaints;
}

async function storeComplaints(
  { queue, store }: MainPath,
  histories: Histories,
  queued: readonly QueuedDelivery[],
): Promise<readonly string[]> {
  const observed = await observe(store);
  const complaints = [...prefixComplaints(histories, observed)];
  const last = new Map(observed.map((one) => [one.session, one.last]));
  const positions = await store.readPositions(queue.source);
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

async function observe(store: Store): Promise<readonly Observation[]> {
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
