import type { Published } from '../../compose/publishing.ts';
import {
  exportStore,
  importCommands,
  importInto,
  readCommands,
  type TransferPhase,
  type TransferRequest,
} from '../../compose/transfer.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { encodeEvent } from '../../domain/wire/structured.ts';
import type { Command, CommandContext, CommandOption } from '../command.ts';
import { checkStoreUrl } from '../options.ts';
import { PhaseProgress } from '../phase-progress.ts';
import { quietLogger } from '../quiet-logger.ts';
import { printTransfer, transferUnits } from './transfer-output.ts';

const toOption: CommandOption = {
  name: 'to',
  placeholder: 'STORE_URL',
  description: 'The store to copy into: an empty one, or one in which this very copy was interrupted',
  check: checkStoreUrl,
};

const importing: Command = {
  shape: {
    name: 'import',
    summary: 'Turn what macp-runtime wrote into commands, or copy it straight into a store',
    positionals: [{ name: 'STORE_URL' }],
    options: [
      toOption,
      { name: 'print', placeholder: undefined, description: 'Print the commands as NDJSON instead of publishing them' },
    ],
    settings: ['queue', 'store', 'dataDir', 'embedded.partitions', 'embedded.maximumBacklog'],
    examples: [
      {
        line: 'import file:/var/lib/macp',
        meaning: 'Publish what a runtime has left in its data directory; a second time it is all duplicates',
      },
      {
        line: 'import redis://localhost:6379/0 --to level:macp-persist-data/level',
        meaning: 'Copy without a queue, and compare both sides in the end; interrupted, it goes on from there',
      },
      { line: 'import file:/var/lib/macp --print > commands.ndjson', meaning: 'Look at the commands first' },
    ],
  },
  async run(context) {
    const to = context.options.get('to');
    const prints = context.options.has('print');
    if (to !== undefined && prints) {
      throw new PersistenceError('INVALID_CONFIGURATION', '--to copies and --print prints: give one of them');
    }
    if (prints) await print(context);
    else if (to === undefined) await publish(context);
    else {
      using progress = new PhaseProgress(context.output, transferUnits);
      const report = await importInto({ ...requestOf(context, progress), to });
      progress.end();
      await printTransfer(report, context.output);
    }
    return 'done';
  },
};

const exporting: Command = {
  shape: {
    name: 'export',
    summary: 'Copy the store, with its numbers and positions, into one of another kind or place',
    positionals: [],
    options: [{ ...toOption, required: true }],
    settings: ['store', 'dataDir', 'requireDurable'],
    examples: [
      {
        line: 'export --to redis://localhost:6379/0',
        meaning: 'Into keys on which macp-runtime boots; a worker goes on from them as well',
      },
      {
        line: 'export --store level:macp-persist-data/backups/monday --to level:/var/lib/macp-persist/level',
        meaning: 'Out of a backup, while the store it was made of is in use',
      },
    ],
  },
  async run(context) {
    using progress = new PhaseProgress(context.output, transferUnits);
    const url = context.options.get('to') ?? '';
    const report = await exportStore({ ...requestOf(context, progress), url });
    progress.end();
    await printTransfer(report, context.output);
    return 'done';
  },
};

export const transferCommands: readonly Command[] = [importing, exporting];

function requestOf(
  { positionals: [url = ''], configuration: { values }, interruption }: CommandContext,
  progress: PhaseProgress<TransferPhase>,
): TransferRequest {
  return {
    values,
    url,
    signal: interruption,
    onPhase: (phase, total) => progress.onPhase(phase, total),
    onProgress: (done) => progress.onProgress(done),
    onRemark: (text) => progress.onRemark(text),
  };
}

async function print(context: CommandContext): Promise<void> {
  using progress = new PhaseProgress(context.output, transferUnits);
  for await (const command of readCommands(requestOf(context, progress))) {
    await context.output.line(encodeEvent(command));
  }
}

async function publish(context: CommandContext): Promise<void> {
  const { output, configuration } = context;
  using progress = new PhaseProgress(output, transferUnits);
  const request = requestOf(context, progress);
  let sent: Published | undefined;
  const published = await importCommands({
    ...request,
    logger: quietLogger(configuration),
    onFull: () => output.remark('The queue is full: waiting for room.'),
    onPublished: (now) => {
      sent = now;
      progress.onProgress(now.commands);
    },
  }).catch((error: unknown) => {
    progress.end();
    if (sent !== undefined) {
      output.remark(`Stopped after ${sent.commands} commands were published: begun again, they are duplicates.`);
    }
    throw error;
  });
  progress.end();
  if (output.asJson) await output.json(published);
  else await output.line(sentence(published));
}

function sentence({ commands, sessions }: Published): string {
  return (
    `Published ${commands} commands of ${sessions ?? 'more than 1,000,000'} sessions. ` +
    'Sessions that were numbered otherwise already refuse them: see dead-letters list.'
  );
}
