import { type Published, publishInput } from '../../compose/publishing.ts';
import { createLogger } from '../../compose/worker.ts';
import { writerProblem } from '../../domain/identifiers.ts';
import type { Command, CommandContext } from '../command.ts';
import { openInput } from '../input.ts';

export const publish: Command = {
  shape: {
    name: 'publish',
    summary: 'Send commands from an NDJSON file to the queue',
    positionals: [{ name: 'FILE|-', values: 'file' }],
    options: [
      {
        name: 'as',
        placeholder: 'WRITER',
        description: 'Claim the sessions and number events that carry no number, under this fresh writer name',
        check: writerProblemOf,
      },
    ],
    settings: ['queue', 'store', 'dataDir', 'embedded.partitions', 'embedded.maximumBacklog'],
    examples: [
      { line: 'publish commands.ndjson', meaning: 'Events that carry macpsequence and macpepoch are sent as they are' },
      {
        line: 'publish - --as //import/2026-11-24 < events.ndjson',
        meaning: 'Events without numbers are claimed for and numbered by this writer',
      },
    ],
  },
  async run(context) {
    const { positionals, options, output, configuration } = context;
    await using input = await openInput(positionals[0] ?? '-', context.input, context.interruption);
    let sent: Published | undefined;
    const work = publishInput({
      values: configuration.values,
      logger: createLogger(quietValues(context)),
      input: () => input.read(),
      as: options.get('as'),
      signal: context.interruption,
      onFull: () => output.remark('The queue is full: waiting for room.'),
      onPublished: (published) => {
        sent = published;
      },
    });
    const published = await work.catch((error: unknown) => {
      if (sent !== undefined) output.remark(`Stopped after ${sent.commands} commands were published.`);
      throw error;
    });
    if (options.has('json')) await output.json(published);
    else await output.line(sentence(published));
    return 'done';
  },
};

function writerProblemOf(text: string): string | undefined {
  const problem = writerProblem(text);
  return problem === undefined ? undefined : `is no name of a writer: ${problem}`;
}

function sentence({ commands, sessions }: Published): string {
  return `Published ${commands} commands of ${sessions ?? 'more than 1,000,000'} sessions.`;
}

/** What the pipeline within a publish tells is only of interest when something is wrong, or when somebody asked. */
function quietValues({
  configuration: { values, origins },
}: CommandContext): CommandContext['configuration']['values'] {
  return origins['log.level'].from === 'default' ? { ...values, 'log.level': 'warn' } : values;
}
