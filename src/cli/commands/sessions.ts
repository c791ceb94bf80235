import { PersistenceError } from '../../domain/errors.ts';
import { parseSessionId, type SessionId } from '../../domain/identifiers.ts';
import type { SessionPage, SessionQuery } from '../../ports/service.ts';
import type { Command } from '../command.ts';
import { onService, type ServiceContext } from '../on-service.ts';
import { wholeNumber, wholeNumberProblem } from '../options.ts';
import { printText, readText } from '../safe-text.ts';
import { describeSession, describeSessionRow } from '../session-summary.ts';

const pageSize = 1000;

const list = onService(
  'read',
  {
    name: 'sessions list',
    summary: 'The ids of all existing sessions, in UTF-8 byte order',
    positionals: [],
    options: [
      { name: 'state', placeholder: 'STATE', description: 'Only sessions whose snapshot has this state' },
      { name: 'mode', placeholder: 'MODE', description: 'Only sessions whose snapshot has this mode' },
      {
        name: 'blocked',
        placeholder: undefined,
        description: 'Only sessions that take nothing more at present, deleted and unknown ones included',
      },
      { name: 'long', placeholder: undefined, description: 'Also state, mode, numbers and what blocks each' },
    ],
    examples: [
      {
        line: 'sessions list | head',
        meaning: 'A line each; ids that a terminal could trip over are printed as JSON strings',
      },
      { line: 'sessions list --blocked --long', meaning: 'What waits for a person, and why' },
      { line: 'sessions list --state Open --mode macp.mode.task.v1', meaning: 'Only some' },
      { line: 'sessions list --store level:/backup/level', meaning: 'Of another store' },
    ],
  },
  async (context) => {
    const { options, output } = context;
    const isLong = options.has('long');
    for await (const { sessions } of pages(context)) {
      for (const row of sessions) {
        if (output.asJson) await output.json(isLong ? row : { session_id: row.session_id });
        else await output.line(isLong ? describeSessionRow(row) : printText(row.session_id));
      }
    }
    return undefined;
  },
);

const show = onService(
  'read',
  {
    name: 'sessions show',
    summary: 'What the store knows of one session, and what it takes to free it where it is blocked',
    positionals: [{ name: 'ID' }],
    options: [],
    examples: [
      {
        line: 'sessions show 64344ad1-8bf0-4d52-9b5f-21e07da2c3d2',
        meaning: 'State, position, log, what waits and what was refused',
      },
    ],
  },
  async ({ service, positionals, output }) => {
    const summary = await service.showSession(sessionOf(positionals));
    if (output.asJson) await output.json(summary);
    else for (const line of describeSession(summary)) await output.line(line);
    return undefined;
  },
);

const log = onService(
  'read',
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
      { name: 'follow', placeholder: undefined, description: 'Then go on with entries as they come, until Ctrl-C' },
    ],
    examples: [
      { line: 'sessions log ID --from 100 --limit 10', meaning: 'Entries 100 to 109' },
      { line: 'sessions log ID --follow', meaning: 'All entries, and those to come' },
    ],
  },
  async (context) => {
    const { service, positionals, options, output, interruption } = context;
    const session = sessionOf(positionals);
    const range = {
      from: wholeNumber(options, 'from'),
      to: wholeNumber(options, 'to'),
      limit: wholeNumber(options, 'limit'),
    };
    if (options.has('follow')) return follow(context, session, range);
    for await (const page of service.log(session, range, undefined, interruption)) {
      for (const entry of page) await output.line(entry);
    }
    return undefined;
  },
);

const incoming = onService(
  'read',
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
  async ({ service, positionals, options, output, interruption }) => {
    const after = wholeNumber(options, 'after') ?? 0;
    for await (const page of service.incoming(sessionOf(positionals), after, undefined, interruption)) {
      for (const { ordinal, entry } of page) {
        await output.line(Buffer.concat([Buffer.from(`{"ordinal":${ordinal},"entry":`), entry, Buffer.from('}')]));
      }
    }
    return undefined;
  },
);

const dump = onService(
  'read',
  {
    name: 'sessions dump',
    summary: 'The canonical dump of all existing sessions: equal stores print equal bytes',
    positionals: [],
    options: [],
    examples: [
      { line: 'sessions dump > store.ndjson', meaning: 'A line a session, sorted by the UTF-8 bytes of the ids' },
    ],
  },
  async ({ service, output, interruption }) => {
    const { totals } = await service.status();
    // On the terminal that shows the dump itself a bar would only be in its way.
    using progress = output.showsResults ? undefined : output.progress('sessions', totals.sessions);
    let done = 0;
    for await (const part of service.dump(interruption)) {
      await output.text(part);
      done += part.split('\n').length - 1;
      progress?.update(done);
    }
    return undefined;
  },
);

export const sessionCommands: readonly Command[] = [list, show, log, incoming, dump];

export function sessionOf([id = '']: readonly string[]): SessionId {
  return parseSessionId(readText(id));
}

async function* pages({ service, options, interruption }: ServiceContext): AsyncGenerator<SessionPage> {
  const query: SessionQuery = {
    limit: pageSize,
    state: options.get('state'),
    mode: options.get('mode'),
    blocked: options.has('blocked') ? true : undefined,
  };
  for (let after: SessionId | undefined; ; ) {
    if (interruption.aborted) throw new PersistenceError('ABORTED', 'interrupted');
    const page = await service.listSessions({ ...query, after });
    yield page;
    if (page.next === null) return;
    after = parseSessionId(page.next);
  }
}

interface FollowedRange {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly limit: number | undefined;
}

/** Prints entries as they come, until the range is through or the person has seen enough. */
async function follow(context: ServiceContext, session: SessionId, range: FollowedRange): Promise<undefined> {
  const { service, isRunning, output, interruption } = context;
  const { store } = await service.status();
  if (!isRunning && !store.capabilities.shared) {
    throw new PersistenceError(
      'SERVICE_UNAVAILABLE',
      'nothing can be added to this log while this command has the store open and no other process runs: leave out ' +
        '--follow, or run `macp-persist start` beside it',
    );
  }
  const { from = 0, to = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY } = range;
  if (limit === 0 || to <= from) return;
  let printed = 0;
  for await (const event of service.follow(session, { ordinal: from }, interruption)) {
    if (event.kind === 'reset') {
      output.remark('The log was replaced or deleted: it starts anew at entry 0.');
      continue;
    }
    await output.line(event.entry);
    printed += 1;
    if (printed === limit || event.ordinal + 1 >= to) return;
  }
}
