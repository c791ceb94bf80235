import type { NumberedCommand } from '../domain/command.ts';
import { PersistenceError } from '../domain/errors.ts';
import type { SessionId } from '../domain/identifiers.ts';
import { encodeEvent } from '../domain/wire/structured.ts';
import type { PublishResult, Service } from '../ports/service.ts';
import { type OpenNumber, openNumberOf, type Supply } from './supply.ts';

const sessionsAtOnce = 500;

export interface RepairOptions {
  /** Over the blocked store, and the queue that it is filled from. */
  readonly service: Pick<Service, 'listSessions' | 'cursor' | 'publish'>;
  /** Only this session; undefined for every blocked one. */
  readonly session: SessionId | undefined;
  /** Milliseconds to wait for what becomes of a command. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Told of every command that was sent, and what became of it. */
  readonly onSent: (result: PublishResult) => void;
}

export interface RepairReport {
  /** Sessions that were blocked at the start. */
  readonly blocked: number;
  /** Commands that were sent and seen applied. */
  readonly applied: number;
  /** Commands whose outcome was not known in time. */
  readonly undecided: number;
  /** Sessions that still wait for a number that was not found, and those whose command became a dead letter. */
  readonly left: ReadonlyMap<SessionId, OpenNumber>;
}

/**
 * Sends the commands that blocked sessions wait for, each in its own writer's name and only while its number is the open
 * one; what was parked behind it is applied in the same step, which may open the next number. Workers go on meanwhile.
 * Throws `ABORTED`, and what the service throws.
 */
export async function repairSessions(supply: Supply, options: RepairOptions): Promise<RepairReport> {
  const open = await openNumbers(options);
  const left = new Map<SessionId, OpenNumber>();
  const counts = { blocked: open.size, applied: 0, undecided: 0 };
  for await (const command of supply.commands(open)) {
    if (options.signal.aborted) throw new PersistenceError('ABORTED', `interrupted after ${counts.applied} commands`);
    const { session } = command;
    const { outcome } = await send(command, options);
    const wanted = open.get(session);
    open.delete(session);
    if (outcome === 'durable') counts.undecided += 1;
    if (outcome === 'dead letter' && wanted !== undefined) left.set(session, wanted);
    if (outcome !== 'applied') continue;
    counts.applied += 1;
    const next = openNumberOf(await options.service.cursor(session));
    if (next !== undefined) open.set(session, next);
  }
  return { ...counts, left: new Map([...left, ...open]) };
}

async function send(command: NumberedCommand, options: RepairOptions): Promise<PublishResult> {
  const { service, timeout, signal, onSent } = options;
  const events = [Buffer.from(encodeEvent(command))];
  const [result] = await service.publish({ events, until: 'applied', timeout, signal });
  if (result === undefined) throw new TypeError('a service answers with a result for every event');
  onSent(result);
  return result;
}

async function openNumbers({ service, session, signal }: RepairOptions): Promise<Map<SessionId, OpenNumber>> {
  const open = new Map<SessionId, OpenNumber>();
  const note = async (blocked: SessionId): Promise<void> => {
    const number = openNumberOf(await service.cursor(blocked));
    if (number !== undefined) open.set(blocked, number);
  };
  if (session !== undefined) {
    await note(session);
    return open;
  }
  for (let after: SessionId | undefined; ; ) {
    const page = await service.listSessions({ after, limit: sessionsAtOnce, blocked: true });
    for (const row of page.sessions) await note(row.session_id as SessionId);
    if (page.next === null) return open;
    if (signal.aborted) throw new PersistenceError('ABORTED', 'interrupted before anything was sent');
    after = page.next as SessionId;
  }
}
