import type { Command } from './command.ts';
import { completionOf } from './commands/completion.ts';
import { config } from './commands/config.ts';
import { publish } from './commands/publish.ts';
import { sessionCommands } from './commands/sessions.ts';
import { worker } from './commands/worker.ts';

const working: readonly Command[] = [publish, worker, ...sessionCommands, config];

/** Every command of the program. */
export const commands: readonly Command[] = [...working, completionOf(working)];
