import { storeSize, whileGrowing } from '../../compose/growth.ts';
import { backupDirectory } from '../../compose/open.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { onService } from '../on-service.ts';
import { printText } from '../safe-text.ts';

export const backup: Command = withBackupSetting(
  onService(
    'read',
    {
      name: 'backup',
      summary: 'Copy the store, as of one moment, into a new directory; what runs goes on meanwhile',
      positionals: [{ name: 'NAME' }],
      options: [],
      examples: [
        { line: 'backup before-upgrade', meaning: 'Into macp-persist-data/backups/before-upgrade' },
        {
          line: 'backup "$(date +%F)" --service-backup-directory /mnt/backups',
          meaning: 'Elsewhere, while no process runs',
        },
        {
          line: 'sessions list --store level:macp-persist-data/backups/before-upgrade',
          meaning: 'A backup is a store: look into it',
        },
      ],
    },
    async ({ service, positionals: [name = ''], configuration: { values, origins }, isRunning, output }) => {
      // It would be made in that process's place for backups, and taken for one elsewhere.
      if (isRunning && origins['service.backupDirectory'].from === 'flag') {
        throw new PersistenceError(
          'INVALID_CONFIGURATION',
          'a process has the store open, and makes backups where it was told to at its start: start it with ' +
            '--service-backup-directory, or leave that out here',
        );
      }
      // Compressed data may take less room in its copy: what is left is an estimate.
      using progress = output.progress('bytes', await storeSize(values));
      const copied = await whileGrowing(
        backupDirectory(values),
        (bytes) => progress.update(bytes),
        () => service.backup(name),
      );
      progress.end();
      const { directory, records, bytes, store } = copied;
      if (output.asJson) await output.json(copied);
      else {
        await output.line(`Copied ${records} records, ${bytes} bytes, of store ${store.id}.`);
        await output.line(`Read it with: macp-persist sessions list --store ${store.kind}:${printText(directory)}`);
      }
      return undefined;
    },
  ),
);

function withBackupSetting({ shape, run }: Command): Command {
  return { shape: { ...shape, settings: [...shape.settings, 'service.backupDirectory'] }, run };
}
