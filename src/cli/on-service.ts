import { type AccessPurpose, openAccess } from '../compose/access.ts';
import type { ExitName } from '../compose/exit-codes.ts';
import type { Service } from '../ports/service.ts';
import type { Command, CommandContext, CommandShape } from './command.ts';
import { quietLogger } from './quiet-logger.ts';

/** What a command on a service may use. */
export interface ServiceContext extends CommandContext {
  readonly service: Service;
  /** True when another process, which goes on working, provides the service. */
  readonly isRunning: boolean;
}

/** What every command on a service depends on, whatever else it does. */
const settings = ['store', 'dataDir'];

/**
 * A command that works on a service: on the store that the settings name, opened here, or through the process that
 * has it open. Ends with `done` unless `run` says otherwise.
 */
export function onService(
  purpose: AccessPurpose,
  shape: Omit<CommandShape, 'settings'>,
  run: (context: ServiceContext) => Promise<ExitName | undefined>,
): Command {
  return {
    shape: { ...shape, settings: purpose === 'read' ? settings : [...settings, 'queue'] },
    async run(context) {
      const { configuration } = context;
      const logger = quietLogger(configuration);
      await using access = await openAccess({ values: configuration.values, logger, purpose });
      const exit = await run({ ...context, service: access.service, isRunning: access.owner !== undefined });
      return exit ?? 'done';
    },
  };
}
