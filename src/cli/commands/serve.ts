import type { Command } from '../command.ts';
import { httpSettings, runHost, standbyOption } from './start.ts';

export const serve: Command = {
  shape: {
    name: 'serve',
    summary: 'Run the HTTP API over a store, without a worker, until SIGINT or SIGTERM',
    positionals: [],
    options: [standbyOption],
    settings: ['store', 'queue', 'dataDir', ...httpSettings],
    examples: [
      { line: 'serve --store level:/backups/monday', meaning: 'Read a backup; commands are not taken then' },
      { line: 'serve --http-port 0', meaning: 'At a free port, which is told' },
    ],
  },
  async run(context) {
    await runHost(context, 'serve');
    return 'done';
  },
};
