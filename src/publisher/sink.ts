import type { Command } from '../domain/command.ts';
import type { Position } from '../domain/delivery.ts';
import { isPersistenceError, type PersistenceError } from '../domain/errors.ts';
import type { Queue } from '../ports/queue.ts';

/** Where commands are sent to: a queue, or a service in front of one. */
export type Sink = Pick<Queue, 'publish' | 'whenWritable'>;

export interface SendingOptions {
  readonly sink: Sink;
  readonly signal: AbortSignal;
  /** Called when the queue is full, before waiting for room. */
  readonly onFull?: (() => void) | undefined;
}

/** True for what a sink says when it has no room: nothing of the publish was written. */
export function isWithoutRoom(error: unknown): error is PersistenceError {
  return isPersistenceError(error, 'QUEUE_FULL') || isPersistenceError(error, 'DISK_FULL');
}

/** Publishes the commands, waiting for room where there is none. */
export async function publishWhenWritable(
  commands: readonly Command[],
  { sink, signal, onFull }: SendingOptions,
): Promise<readonly Position[]> {
  for (;;) {
    try {
      return await sink.publish(commands, signal);
    } catch (error) {
      if (!isPersistenceError(error, 'QUEUE_FULL')) throw error;
    }
    onFull?.();
    await sink.whenWritable(signal);
  }
}
