import { restore as restoreStore } from '../../compose/restore.ts';
import type { Command } from '../command.ts';
import { printText } from '../safe-text.ts';

export const restore: Command = {
  shape: {
    name: 'restore',
    summary: 'Put a copy of a backup into the place of the store, from where a worker goes on',
    positionals: [{ name: 'BACKUP' }],
    options: [],
    settings: ['store', 'dataDir', 'service.backupDirectory'],
    examples: [
      { line: 'restore monday', meaning: 'From macp-persist-data/backups/monday; the place of the store must be free' },
      { line: 'restore /mnt/backups/monday --store rocksdb', meaning: 'A path has a slash in it' },
    ],
  },
  async run({ positionals: [backup = ''], configuration: { values }, output, interruption }) {
    using progress = output.progress('files', undefined);
    const report = await restoreStore({
      values,
      backup,
      signal: interruption,
      onProgress: (files) => progress.update(files),
    });
    progress.end();
    const { from, to, store, sessions } = report;
    if (output.asJson) await output.json(report);
    else {
      await output.line(`Restored store ${store} with ${sessions} sessions.`);
      await output.line(`From ${printText(from)} to ${printText(to)}; a worker goes on from there.`);
    }
    return 'done';
  },
};
