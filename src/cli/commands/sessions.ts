import type { ExitName } from '../../compose/exit-codes.ts';
import { openReader, type SessionReader } from '../../compose/reader.ts';
import { PersistenceError } from '../../domain/errors.ts';
import { parseSessionId, type SessionId } from '../../domain/identifiers.ts';
import type { Command, CommandContext, CommandShape } from '../command.ts';
import { wholeNumber, wholeNumberProblem } from '../options.ts';
import { printText, readText } from '../safe-text.ts';
import { describeSession, sessionSummary } from '../session-summary.ts';

const settings = ['store', 'dataDir'];

/** A command that reads the configured store. */
function reading(
  shape: Omit<CommandShape, 'settings'>,
  read: (reader: SessionReader, context: CommandContext) => Promise<void>,
): Command {
  return {
    shape: { ...shape, settings },
    async run(context): Promise<ExitName> {
      await using opened = await openReader(context.configuration.values);
      await read(opened.reader, context);
      return 'done';
    },
  };
}

const list = reading(
  {
    name: 'sessions list',
    summary: 'The ids of all existing sessions, in UTF-8 byte order',
    positionals: [],
    options: [],
    examples: [
      {
        line: 'sessions list | head',
        meaning: 'A line each; ids that a terminal could trip over are printed as JSON strings',
      },
      { line: 'sessions list --store level:/backup/level', meaning: 'Of another store' },
    ],
  },
  async (reader, { options, output, interruption }) => {
    for await (const session of reader.sessionIds()) {
      stopIfInterrupted(interruption);
      await (options.has('json') ? output.json({ session_id: session }) : output.line(printText(session)));
    }
  },
);

const show = reading(
  {
    name: 'sessions show',
    summary: 'What the store knows of one session',
    positionals: [{ name: 'ID' }],
    options: [],
    examples: [
      {
        line: 'sessions show 64344ad1-8bf0-4d52-9b5f-21e07da2c3d2',
        meaning: 'State, position, log, what waits and what was refused',
      },
    ],
  },
  async (reader, { positionals, options, output }) => {
    const summary = await sessionSummary(reader, sessionOf(positionals));
    if (options.has('json')) await output.json(summary);
    else for (const line of describeSession(summary)) await output.line(line);
  },
);

const log = reading(
  {
    name: 'sessions log',
    summary: "A session's log entries as NDJSON, byte for byte as stored",
    positionals: [{ name: 'ID' }],
    options: [
      {
        name: 'from',
        placeholder: 'N',
        description: 'First entry, counted from 0 (default 0)',
        check: wholeNumberProblem,
      },
      {
        name: 'to',
        placeholder: 'N',
        description: 'End before this entry (default: the end of the log)',
        check: wholeNumberProblem,
      },
      { name: 'limit', placeholder: 'N', description: 'At most so many entries', check: wholeNumberProblem },
    ],
    examples: [{ line: 'sessions log ID --from 100 --limit 10', meaning: 'Entries 100 to 109' }],
  },
  async (reader, { positionals, options, output, interruption }) => {
    const range = {
      from: wholeNumber(options, 'from'),
      to: wholeNumber(options, 'to'),
      limit: wholeNumber(options, 'limit'),
    };
    for await (const entry of reader.loadLog(sessionOf(positionals), range)) {
      stopIfInterrupted(interruption);
      await output.line(entry);
    }
  },
);

const incoming = reading(
  {
    name: 'sessions incoming',
    summary: "A session's accepted messages after an accepted ordinal, as NDJSON",
    positionals: [{ name: 'ID' }],
    options: [
      {
        name: 'after',
        placeholder: 'N',
        description: 'The last accepted ordinal already seen (default 0: from the first)',
        check: wholeNumberProblem,
      },
    ],
    examples: [
      { line: 'sessions incoming ID --after 7', meaning: 'Message 8 and all after it: {"ordinal":8,"entry":{…}}' },
    ],
  },
  async (reader, { positionals, options, output, interruption }) => {
    for await (const { ordinal, entry } of reader.incomingAfter(
      sessionOf(positionals),
      wholeNumber(options, 'after') ?? 0,
    )) {
      stopIfInterrupted(interruption);
      await output.line(Buffer.concat([Buffer.from(`{"ordinal":${ordinal},"entry":`), entry, Buffer.from('}')]));
    }
  },
);

const dump = reading(
  {
    name: 'sessions dump',
    summary: 'The canonical dump of all existing sessions: equal stores print equal bytes',
    positionals: [],
    options: [],
    examples: [
      { line: 'sessions dump > store.ndjson', meaning: 'A line a session, sorted by the UTF-8 bytes of the ids' },
    ],
  },
  async (reader, { output, interruption }) => {
    for await (const part of reader.dump()) {
      stopIfInterrupted(interruption);
      await output.text(part);
    }
  },
);

export const sessionCommands: readonly Command[] = [list, show, log, incoming, dump];

function sessionOf([id = '']: readonly string[]): SessionId {
  return parseSessionId(readText(id));
}

function stopIfInterrupted(interruption: AbortSignal): void {
  if (interruption.aborted) throw new PersistenceError('ABORTED', 'interrupted');
}
