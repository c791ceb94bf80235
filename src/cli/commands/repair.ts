import { type RepairReport, repairFrom, supplyProblem } from '../../compose/repair.ts';
import { numberedTypes, wireLimits } from '../../domain/command.ts';
import { PersistenceError } from '../../domain/errors.ts';
import type { PublishResult } from '../../ports/service.ts';
import { openInput } from '../input.ts';
import { onService, type ServiceContext } from '../on-service.ts';
import type { Output } from '../output.ts';
import { printText } from '../safe-text.ts';
import { openNumber, sequenceOption, tellDecision } from './decision.ts';
import { sessionOf } from './sessions.ts';

export const repair = onService(
  'decide',
  {
    name: 'dead-letters repair',
    summary:
      'Send what blocked sessions wait for: other data for one number, or what a file or another store still has',
    positionals: [
      { name: 'SESSION', optional: true },
      { name: 'FILE|-', optional: true, values: 'file' },
    ],
    options: [
      sequenceOption,
      {
        name: 'type',
        placeholder: 'TYPE',
        values: numberedTypes,
        description: 'The command type, such as macp.log.append.v1',
      },
      {
        name: 'from',
        placeholder: 'SOURCE_URL',
        description: 'A file of events (ndjson:FILE), or a store such as a backup: every missing command that it has',
        check: (text) => {
          const problem = supplyProblem(text);
          return problem === undefined ? undefined : `names neither ndjson:FILE nor a store: ${problem}`;
        },
      },
    ],
    examples: [
      {
        line: 'dead-letters repair ID corrected.json --sequence 7 --type macp.log.append.v1',
        meaning: "The data alone, not the event, in its writer's name; what waits behind number 7 is applied then",
      },
      {
        line: 'dead-letters repair --from ndjson:commands.ndjson',
        meaning: 'Whatever blocked sessions wait for and the file has, as it was numbered',
      },
      {
        line: 'dead-letters repair ID --from level:macp-persist-data/backups/monday',
        meaning: 'Of one session, out of a backup that has the commands parked, or applied lately',
      },
    ],
  },
  async (context) => (context.options.has('from') ? repairFromSource(context) : repairNumber(context)),
);

async function repairNumber(context: ServiceContext): Promise<'done' | 'deadLettered' | 'unavailable'> {
  const { service, positionals, options, input, interruption } = context;
  const [, file] = positionals;
  const type = options.get('type');
  if (file === undefined || type === undefined || !options.has('sequence')) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      'a repair takes SESSION, FILE, --sequence and --type; or --from, for whatever another source has',
    );
  }
  const data = await readData(file, input, interruption);
  const sequence = openNumber(options);
  const result = await service.repair({ session: sessionOf(positionals), sequence, type, data });
  return tellDecision(context, result, `Number ${sequence} is repaired`);
}

async function repairFromSource(context: ServiceContext): Promise<'done' | 'absent' | 'unavailable'> {
  const { service, positionals, options, configuration, output, interruption } = context;
  if (positionals.length > 1 || options.has('sequence') || options.has('type')) {
    throw new PersistenceError(
      'INVALID_CONFIGURATION',
      '--from brings the commands: leave out FILE, --sequence, --type',
    );
  }
  const report = await repairFrom({
    service,
    values: configuration.values,
    from: options.get('from') ?? '',
    session: positionals.length === 0 ? undefined : sessionOf(positionals),
    signal: interruption,
    onSent: (result) => remarkUnusual(result, output),
  });
  await printReport(report, output);
  if (report.undecided > 0) return 'unavailable';
  return report.left.size === 0 ? 'done' : 'absent';
}

/** What was applied is only counted. */
function remarkUnusual(
  { session_id: session, sequence, outcome, dead_letter: letter }: PublishResult,
  output: Output,
): void {
  const what = `number ${sequence} of session ${printText(session)}`;
  if (outcome === 'durable') output.remark(`${what} is in the queue, and was not seen applied yet.`);
  if (outcome === 'dead letter') output.remark(`${what} became dead letter ${letter}.`);
}

async function printReport({ blocked, applied, undecided, left }: RepairReport, output: Output): Promise<void> {
  const waiting = [...left].map(([session, { sequence }]) => ({ session_id: session, sequence }));
  if (output.asJson) return output.json({ blocked, applied, undecided, waiting });
  for (const { session_id: session, sequence } of waiting) {
    await output.line(`session ${printText(session)} still waits for number ${sequence}`);
  }
  await output.line(
    `Of ${blocked} blocked sessions ${blocked - left.size} are free: ${applied} commands were applied.`,
  );
}

/** The data of one command. Throws `DATA_TOO_LARGE` for what no command can carry. */
async function readData(path: string, ...rest: [ServiceContext['input'], AbortSignal]): Promise<Uint8Array> {
  await using opened = await openInput(path, ...rest);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of opened.read()) {
    bytes += chunk.length;
    if (bytes > wireLimits.dataBytes) {
      throw new PersistenceError('DATA_TOO_LARGE', `the data is larger than ${wireLimits.dataBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
