import type { Command } from '../domain/command.ts';
import { PersistenceError } from '../domain/errors.ts';
import { refusalOf } from '../domain/wire/content.ts';

/** Why the commands cannot be published, if they cannot: what the workers would refuse, or a caller who gave up. */
export function publishProblem(
  commands: readonly Command[],
  signal: AbortSignal | undefined,
): PersistenceError | undefined {
  if (signal?.aborted) return new PersistenceError('ABORTED', 'the publish was given up before it was written');
  for (let index = 0; index < commands.length; index += 1) {
    const command = commands[index];
    const refusal = command === undefined ? undefined : refusalOf(command);
    if (refusal === undefined) continue;
    const which = commands.length === 1 ? '' : `command ${index + 1} of ${commands.length}: `;
    return new PersistenceError(refusal.code, `${which}${refusal.message}`);
  }
  return undefined;
}
