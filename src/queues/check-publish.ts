import type { Command } from '../domain/command.ts';
import { PersistenceError } from '../domain/errors.ts';
import { checkCommand } from '../domain/wire/content.ts';

/** Why a publish that waits is not to be written any more, if it is not: its caller gave up, or was shut out. */
export type Withdrawal = () => PersistenceError | undefined;

/** The withdrawal of a caller who may give up; undefined for one who cannot. */
export function withdrawalOf(signal: AbortSignal | undefined): Withdrawal | undefined {
  if (signal === undefined) return undefined;
  return () =>
    signal.aborted ? new PersistenceError('ABORTED', 'the publish was given up before it was written') : undefined;
}

/**
 * Why the commands cannot be published, if they cannot: what the workers would refuse, or a caller who does not want it
 * any more. Otherwise, command by command, whether it is plain.
 */
export function checkPublish(
  commands: readonly Command[],
  withdrawn: Withdrawal | undefined,
): PersistenceError | readonly boolean[] {
  const why = withdrawn?.();
  if (why !== undefined) return why;
  const plain: boolean[] = [];
  for (const [index, command] of commands.entries()) {
    const { refusal, isPlain } = checkCommand(command);
    if (refusal !== undefined) {
      const which = commands.length === 1 ? '' : `command ${index + 1} of ${commands.length}: `;
      return new PersistenceError(refusal.code, `${which}${refusal.message}`);
    }
    plain.push(isPlain);
  }
  return plain;
}
