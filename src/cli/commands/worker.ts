import { createLogger, Worker } from '../../compose/worker.ts';
import type { Command } from '../command.ts';
import { quietLogger } from '../quiet-logger.ts';
import { describeWork } from '../work-summary.ts';
import { runHost, standbyOption } from './start.ts';

export const worker: Command = {
  shape: {
    name: 'worker',
    summary: 'Persist commands from the queue to the store until SIGINT or SIGTERM',
    positionals: [],
    options: [
      {
        name: 'exit-when-caught-up',
        placeholder: undefined,
        description: 'Persist everything that is waiting now, print a summary, and end',
      },
      standbyOption,
    ],
    settings: [
      'queue',
      'store',
      'dataDir',
      'worker.batchCommands',
      'worker.batchSize',
      'worker.cachedSessions',
      'worker.acceptNewQueue',
      'requireDurable',
      'kafka.group',
      'kafka.sessionTimeout',
      'embedded.retentionAge',
      'embedded.retentionSize',
      'log.level',
    ],
    examples: [
      { line: 'worker', meaning: 'Work until told to stop; a second signal ends it at once' },
      { line: 'worker --exit-when-caught-up', meaning: 'Work through what is waiting, then end' },
    ],
  },
  async run(context) {
    const { options, output, interruption, configuration } = context;
    if (!options.has('exit-when-caught-up')) {
      const done = await runHost(context, 'worker');
      if (options.has('json') && done !== undefined) await output.json(done);
      return 'done';
    }
    const { values } = configuration;
    const logger = output.drawsProgress ? quietLogger(configuration) : createLogger(values);
    const { openInTurn } = await import('../../compose/hosting.ts');
    const turn = { logger, interruption, standby: options.has('standby'), dataDir: values.dataDir };
    await using opened = await openInTurn(() => Worker.open({ values, logger }), turn);
    if (interruption.aborted) return 'interrupted';
    // Elsewhere the log tells of progress.
    using progress = output.drawsProgress ? output.progress('commands', await opened.waiting()) : undefined;
    opened.onPersisted((commands) => progress?.update(commands));
    const summary = await opened.runUntilCaughtUp(interruption);
    progress?.end();
    if (options.has('json')) await output.json(summary);
    else for (const line of describeWork('Persisted', summary)) await output.line(line);
    return interruption.aborted ? 'interrupted' : 'done';
  },
};
