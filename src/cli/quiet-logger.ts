import type { Logger } from 'pino';
import { createLogger } from '../compose/worker.ts';
import type { Configuration } from '../configuration/resolve.ts';
import type { Settings } from '../configuration/settings.ts';

/**
 * Log lines of a command that is not about them: what happens beside it is only of interest when something is wrong,
 * or when somebody asked for it.
 */
export function quietLogger({ values, origins }: Configuration<Settings>): Logger {
  return createLogger(origins['log.level'].from === 'default' ? { ...values, 'log.level': 'warn' } : values);
}
