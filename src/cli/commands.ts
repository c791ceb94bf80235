import type { Command } from './command.ts';
import { backup } from './commands/backup.ts';
import { completionOf } from './commands/completion.ts';
import { config } from './commands/config.ts';
import { deadLetterCommands } from './commands/dead-letters.ts';
import { doctor } from './commands/doctor.ts';
import { gateway } from './commands/gateway.ts';
import { init } from './commands/init.ts';
import { publish } from './commands/publish.ts';
import { repartition } from './commands/repartition.ts';
import { replay } from './commands/replay.ts';
import { restore } from './commands/restore.ts';
import { serve } from './commands/serve.ts';
import { sessionCommands } from './commands/sessions.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { switching } from './commands/switch.ts';
import { transferCommands } from './commands/transfer.ts';
import { verify } from './commands/verify.ts';
import { worker } from './commands/worker.ts';

const working: readonly Command[] = [
  start,
  init,
  repartition,
  worker,
  serve,
  gateway,
  publish,
  status,
  ...sessionCommands,
  ...deadLetterCommands,
  backup,
  restore,
  ...transferCommands,
  verify,
  replay,
  switching,
  doctor,
  config,
];

/** Every command of the program. */
export const commands: readonly Command[] = [...working, completionOf(working)];
