import { exitCodes, exitNameOf } from './exit-codes.ts';
import { failureText } from './failure-text.ts';
import { interruptionOf } from './interruption.ts';
import { loadConfiguration } from './settings.ts';
import { createLogger, Worker } from './worker.ts';

/**
 * Runs a worker as a process of its own, configured by the environment and the configuration file, until SIGINT or
 * SIGTERM. Resolves with the exit code.
 */
export async function runWorkerProcess(running: NodeJS.Process): Promise<number> {
  try {
    const { values } = await loadConfiguration({
      flags: new Map(),
      configFile: undefined,
      environment: running.env,
      workingDirectory: running.cwd(),
      mistakes: [],
    });
    await using worker = await Worker.open({ values, logger: createLogger(values) });
    await worker.runUntil(interruptionOf(running));
    return exitCodes.done.code;
  } catch (error) {
    running.stderr.write(`${failureText(error)}\n`);
    return exitCodes[exitNameOf(error)].code;
  }
}
