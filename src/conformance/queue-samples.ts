import assert from 'node:assert/strict';
import { commandId, type NumberedCommand } from '../domain/command.ts';
import type { Position } from '../domain/delivery.ts';
import { type ErrorCode, isPersistenceError } from '../domain/errors.ts';
import { type Epoch, parseSessionId, parseWriter, type Sequence, type SessionId } from '../domain/identifiers.ts';
import type { StoredPosition } from '../domain/plan.ts';
import type { AssignmentHandler, Consumer, Queue, QueuedDelivery, TakeLimits } from '../ports/queue.ts';

const someWriter = parseWriter('urn:conformance:writer');
export const anyLimits: TakeLimits = { deliveries: 1_000, bytes: 64 * 1024 * 1024 };

/** Sessions of many partitions. */
export const someSessions: readonly SessionId[] = Array.from({ length: 40 }, (_, index) =>
  parseSessionId(`session-${index}`),
);

/** Command number `sequence` of a session, valid with any data. */
export function someCommand(session: SessionId, sequence: number, data = `${session} ${sequence}`): NumberedCommand {
  return commandWithData(session, sequence, Buffer.from(data, 'utf8'));
}

export function commandWithData(session: SessionId, sequence: number, data: Uint8Array): NumberedCommand {
  const epoch = 1 as Epoch;
  return {
    kind: 'numbered',
    type: 'macp.receipt.store.v1',
    session,
    writer: someWriter,
    epoch,
    sequence: sequence as Sequence,
    id: commandId(session, epoch, sequence as Sequence),
    data,
  };
}

/** Commands `first` to `last` of every one of the sessions, interleaved. */
export function someCommands(sessions: readonly SessionId[], first: number, last: number): NumberedCommand[] {
  const commands: NumberedCommand[] = [];
  for (let sequence = first; sequence <= last; sequence += 1) {
    for (const session of sessions) commands.push(someCommand(session, sequence));
  }
  return commands;
}

/** A handler that starts at the given positions and has nothing under way. */
export function startingAt(positions: ReadonlyMap<number, StoredPosition> = new Map()): AssignmentHandler {
  return {
    assigned: async (partitions) => new Map(partitions.map((partition) => [partition, positions.get(partition)])),
    revoked: async () => undefined,
  };
}

/** What a delivery says, as plain values: session, sequence and data. */
export function told(delivery: QueuedDelivery): string {
  const { content } = delivery;
  assert.ok(content.kind === 'numbered' && content.refusal === undefined, `a valid command, not ${content.kind}`);
  return `${content.session}/${content.sequence}/${Buffer.from(content.data).toString('base64')}`;
}

export function toldCommand({ session, sequence, data }: NumberedCommand): string {
  return `${session}/${sequence}/${Buffer.from(data).toString('base64')}`;
}

/** Those that hold something: a queue may deliver stretches of its source that hold nothing. */
export function heard(deliveries: readonly QueuedDelivery[]): readonly QueuedDelivery[] {
  return deliveries.filter(({ isPassed }) => isPassed !== true);
}

/** Takes until `count` deliveries that hold something have come. */
export async function takeCount(consumer: Consumer, count: number, limits = anyLimits): Promise<QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  while (deliveries.length < count) deliveries.push(...heard(await consumer.take(limits)));
  return deliveries;
}

/** Takes up to these ends, whatever it is that comes. */
export async function takeTo(
  consumer: Consumer,
  ends: ReadonlyMap<number, number>,
  from: ReadonlyMap<number, number>,
): Promise<QueuedDelivery[]> {
  const deliveries: QueuedDelivery[] = [];
  const next = new Map(from);
  while ([...ends].some(([partition, end]) => (next.get(partition) ?? 0) < end)) {
    for (const delivery of await consumer.take(anyLimits)) {
      deliveries.push(delivery);
      next.set(delivery.position.partition, delivery.position.offset + 1);
    }
  }
  return deliveries;
}

/** Everything that holds something from the given positions to the end, without waiting. */
export async function consumeAll(
  queue: Queue,
  positions?: ReadonlyMap<number, StoredPosition>,
): Promise<readonly QueuedDelivery[]> {
  return heard(await consumeWhole(queue, positions));
}

/** Everything from the given positions to the end, what holds nothing included. */
export async function consumeWhole(
  queue: Queue,
  positions: ReadonlyMap<number, StoredPosition> = new Map(),
): Promise<readonly QueuedDelivery[]> {
  const bounds = [...(await queue.bounds())];
  const from = bounds.map(([partition, { start }]) => [partition, positions.get(partition)?.next ?? start] as const);
  await using consumer = await queue.consume(startingAt(positions));
  return await takeTo(consumer, new Map(bounds.map(([partition, { end }]) => [partition, end])), new Map(from));
}

/** The positions after the given deliveries. */
export function positionsAfter(deliveries: readonly QueuedDelivery[]): Map<number, StoredPosition> {
  const positions = new Map<number, StoredPosition>();
  for (const delivery of deliveries) {
    const { partition, offset } = delivery.position;
    positions.set(partition, { next: offset + 1, digest: delivery.recordDigest() });
  }
  return positions;
}

/** The deliveries of one partition after those of another, each in their order: how they cross is nobody's promise. */
export function partitionByPartition(deliveries: readonly QueuedDelivery[]): readonly QueuedDelivery[] {
  return deliveries.toSorted((one, other) => one.position.partition - other.position.partition);
}

/** Fails unless the deliveries hold exactly these commands, those of each session in the order given. */
export function assertDelivered(deliveries: readonly QueuedDelivery[], commands: readonly NumberedCommand[]): void {
  assert.deepEqual(bySession(heard(deliveries).map(told)), bySession(commands.map(toldCommand)));
}

function bySession(texts: readonly string[]): Record<string, string[]> {
  const sessions: Record<string, string[]> = {};
  for (const text of texts) {
    const session = `session ${text.slice(0, text.indexOf('/'))}`;
    sessions[session] = [...(sessions[session] ?? []), text];
  }
  return sessions;
}

/** Fails unless the offsets of every partition are those from 0 on, in order, without holes. */
export function assertDense(positions: readonly Position[]): void {
  const next = new Map<number, number>();
  for (const { partition, offset } of positions) {
    assert.equal(offset, next.get(partition) ?? 0, `offset in partition ${partition}`);
    next.set(partition, offset + 1);
  }
}

export async function assertRejects(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isPersistenceError(error), `a PersistenceError, not ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}
