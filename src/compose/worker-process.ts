import { exitAtOnce } from './exit-at-once.ts';
import { exitCodes, exitNameOf } from './exit-codes.ts';
import { failureText } from './failure-text.ts';
import { host } from './hosting.ts';
import { interruptionOf } from './interruption.ts';
import { loadConfiguration } from './settings.ts';
import { createLogger } from './worker.ts';

/**
 * Runs a worker as a process of its own, configured by the environment and the configuration file, until SIGINT or
 * SIGTERM. Resolves with the exit code.
 */
export async function runWorkerProcess(running: NodeJS.Process): Promise<number> {
  try {
    const configuration = await loadConfiguration({
      flags: new Map(),
      configFile: undefined,
      environment: running.env,
      workingDirectory: running.cwd(),
      mistakes: [],
    });
    const logger = createLogger(configuration.values);
    await host({
      configuration,
      mode: 'worker',
      standby: false,
      logger,
      interruption: interruptionOf(running, (code) => exitAtOnce(running, code)),
      onListening: (url) => logger.info({ url }, 'the worker can be reached by its owner'),
    });
    return exitCodes.done.code;
  } catch (error) {
    running.stderr.write(`${failureText(error)}\n`);
    const exit = exitNameOf(error);
    if (exit === 'stalled') exitAtOnce(running, exitCodes[exit].code);
    return exitCodes[exit].code;
  }
}
