import type { Command } from '../domain/command.ts';
import { PersistenceError } from '../domain/errors.ts';
import { checkCommand } from '../domain/wire/content.ts';

/**
 * Why the commands cannot be published, if they cannot: what the workers would refuse, or a caller who gave up.
 * Otherwise, command by command, whether it is plain.
 */
export function checkPublish(
  commands: readonly Command[],
  signal: AbortSignal | undefined,
): PersistenceError | readonly boolean[] {
  if (signal?.aborted) return new PersistenceError('ABORTED', 'the publish was given up before it was written');
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
