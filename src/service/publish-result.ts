import type { Command } from '../domain/command.ts';
import type { Position } from '../domain/delivery.ts';
import { isPersistenceError, PersistenceError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { PublishResult } from '../ports/service.ts';
import type { CommandOutcome } from '../publisher/outcome.ts';
import { Deadline } from '../read-side/waiting.ts';

/** What became of a published command, as far as it is known. */
export function publishResult(command: Command, position: Position, outcome?: CommandOutcome): PublishResult {
  return {
    session_id: command.session,
    id: command.id,
    writer: command.kind === 'skip' ? command.source : command.writer,
    epoch: command.kind === 'skip' ? command.decision.epoch : command.epoch,
    sequence: sequenceOf(command),
    position,
    outcome: outcome?.kind ?? 'durable',
    dead_letter: outcome?.kind === 'dead letter' ? outcome.id : null,
  };
}

function sequenceOf(command: Command): number | null {
  if (command.kind === 'claim') return null;
  return command.kind === 'skip' ? command.decision.sequence : command.sequence;
}

/**
 * The result of `wait`, which is handed a signal that is aborted after `timeout` milliseconds, or with `outer`; undefined
 * when the time ended it. Throws `ABORTED` once `outer` is aborted.
 */
export async function within<Result>(
  timeout: number,
  clock: Clock,
  outer: AbortSignal | undefined,
  wait: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  if (outer?.aborted) throw new PersistenceError('ABORTED', 'the request was given up');
  using deadline = new Deadline(clock, timeout, outer);
  try {
    return await wait(deadline.signal);
  } catch (error) {
    if (deadline.hasPassed && isPersistenceError(error, 'ABORTED')) return undefined;
    throw error;
  }
}
