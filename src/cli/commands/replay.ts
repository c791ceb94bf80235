import { type ReplayPhase, type ReplayReport, replay as replayInto } from '../../compose/replay.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { SessionId } from '../../domain/identifiers.ts';
import type { Command } from '../command.ts';
import { checkStoreUrl } from '../options.ts';
import type { Output } from '../output.ts';
import { PhaseProgress } from '../phase-progress.ts';
import { checkSourceUrl, endProblem, readEnd, readSelection, selectionProblem } from '../replay-options.ts';
import { printText } from '../safe-text.ts';
import { describeWork } from '../work-summary.ts';

export const replay: Command = {
  shape: {
    name: 'replay',
    summary: 'Build a store anew from the commands that a queue or a file holds',
    positionals: [],
    options: [
      {
        name: 'to',
        placeholder: 'STORE_URL',
        required: true,
        description: 'The store to fill: an empty one, or one that the same source has filled up to somewhere',
        check: checkStoreUrl,
      },
      {
        name: 'from',
        placeholder: 'SOURCE_URL',
        description: 'A queue, or ndjson:FILE (else the configured queue)',
        check: checkSourceUrl,
      },
      {
        name: 'until',
        placeholder: 'TIME|POSITIONS',
        description:
          'Each partition ends before its first record at or after this time, or before the offset of PARTITION:OFFSET,…',
        check: endProblem,
      },
      {
        name: 'sessions',
        placeholder: 'IDS|PREFIX*',
        description:
          'Only these: ID,ID,… (or a JSON array), or all whose ids begin so; the store is for looking at then',
        check: selectionProblem,
      },
      {
        name: 'base',
        placeholder: 'STORE_URL',
        description: 'Begin with a copy of this store, a backup for instance, and replay only what came after it',
        check: checkStoreUrl,
      },
      {
        name: 'since',
        placeholder: 'STORE_URL',
        description: 'The same as --base',
        check: checkStoreUrl,
      },
    ],
    settings: [
      'queue',
      'dataDir',
      'worker.batchCommands',
      'worker.batchSize',
      'worker.cachedSessions',
      'worker.acceptNewQueue',
      'requireDurable',
    ],
    examples: [
      {
        line: 'replay --to level:rebuilt',
        meaning: 'Everything that the queue holds now; interrupted or killed, given again, it goes on from there',
      },
      {
        line: 'replay --to level:noon --until 2026-11-24T12:00:00Z',
        meaning: 'The store as it was at noon',
      },
      {
        line: 'replay --to level:rebuilt --base level:macp-persist-data/backups/monday',
        meaning: 'From a backup on: the queue need not hold what came before',
      },
      {
        line: "replay --to level:orders --sessions 'order-*' --from ndjson:commands.ndjson",
        meaning: 'Some sessions, from a file of events',
      },
    ],
  },
  async run({ options, output, configuration: { values }, interruption }) {
    using progress = new PhaseProgress(output, units);
    const report = await replayInto({
      values,
      from: options.get('from'),
      to: options.get('to') ?? '',
      base: baseOf(options),
      until: readEnd(options.get('until')),
      selection: readSelection(options.get('sessions')),
      signal: interruption,
      onPhase: (phase, total) => progress.onPhase(phase, total),
      onProgress: (done) => progress.onProgress(done),
      onLost: (session) => printLost(session, output),
      onRemark: (text) => progress.onRemark(text),
    });
    progress.end();
    if (output.asJson) await output.json(documentOf(report));
    else for (const line of [...describeWork('Replayed', report), ...sentences(report)]) await output.line(line);
    return 'done';
  },
};

const units: Readonly<Record<ReplayPhase, string>> = {
  copying: 'sessions copied',
  verifying: 'sessions compared',
  'looking for lost sessions': 'sessions without a beginning',
  'replaying records': 'records',
  'replaying bytes': 'bytes',
  digesting: 'sessions read for the digest',
};

function baseOf(options: ReadonlyMap<string, string>): string | undefined {
  const [base, since] = [options.get('base'), options.get('since')];
  if (base === undefined || since === undefined) return base ?? since;
  throw new PersistenceError('INVALID_CONFIGURATION', '--base and --since say the same: give one of them');
}

async function printLost(session: SessionId, output: Output): Promise<void> {
  if (output.asJson) await output.json({ session_id: session, whole: false });
  else await output.line(`cannot be built whole: ${printText(session)}`);
}

function sentences({ sessions, digest }: ReplayReport): readonly string[] {
  return [`The store holds ${sessions} sessions.`, `SHA-256 of all that it holds ${digest}`];
}

function documentOf(report: ReplayReport): object {
  const { from, to, deliveries, bytes, commits, tally, milliseconds, sessions, digest } = report;
  const { applied, duplicates, claimed, skipped, parked, drained, deadLetters } = tally;
  return {
    from,
    to,
    commands: deliveries,
    bytes,
    commits,
    milliseconds: Math.round(milliseconds),
    applied,
    duplicates,
    claims: claimed,
    skips: skipped,
    parked,
    unparked: drained,
    dead_letters: deadLetters,
    sessions,
    sha256: digest,
  };
}
