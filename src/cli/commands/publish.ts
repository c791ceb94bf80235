import { type Published, publishInput } from '../../compose/publishing.ts';
import { writerProblem } from '../../domain/identifiers.ts';
import type { Command } from '../command.ts';
import { openInput } from '../input.ts';
import type { Progress } from '../progress.ts';
import { quietLogger } from '../quiet-logger.ts';

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
    let progress: Progress | undefined;
    const work = publishInput({
      values: configuration.values,
      logger: quietLogger(configuration),
      input: () => input.read(),
      as: options.get('as'),
      signal: context.interruption,
      onChecked: (events) => {
        progress = output.progress('commands', events);
      },
      onFull: () => output.remark('The queue is full: waiting for room.'),
      onPublished: (published) => {
        sent = published;
        progress?.update(published.commands);
      },
    });
    const published = await work
      .finally(() => progress?.end())
      .catch((error: unknown) => {
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
