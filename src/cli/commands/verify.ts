import type { ExitName } from '../../compose/exit-codes.ts';
import { queueUrlProblem } from '../../compose/queue-url.ts';
import { storeUrlProblem } from '../../compose/store-url.ts';
import { type VerifyListener, type VerifyPhase, verifyDeep, verifyStores } from '../../compose/verify.ts';
import { verifyWithSource } from '../../compose/verify-source.ts';
import type { Command, CommandContext } from '../command.ts';
import { checkStoreUrl } from '../options.ts';
import { PhaseProgress } from '../phase-progress.ts';
import { printComparison, printDifference, printExamination, printFinding } from './verify-output.ts';

const units: Readonly<Record<VerifyPhase, string>> = {
  'replaying records': 'records',
  'replaying bytes': 'bytes',
  comparing: 'sessions compared',
  examining: 'sessions examined',
};

export const verify: Command = {
  shape: {
    name: 'verify',
    summary: 'Compare a store with another one, or with what its source says, and name every difference',
    positionals: [
      { name: 'STORE_URL', check: checkStoreUrl },
      { name: 'OTHER_URL', optional: true, check: checkOther },
    ],
    options: [
      {
        name: 'deep',
        placeholder: undefined,
        description: 'Look whether the store is right in itself: apply the rule anew, find holes, doubles, conflicts',
      },
    ],
    settings: ['dataDir', 'queue'],
    examples: [
      {
        line: 'verify level:macp-persist-data/level level:macp-persist-data/backups/monday',
        meaning: 'Ends with 0 when both hold the same, whatever their kinds, and with 15 when they do not',
      },
      {
        line: 'verify level:macp-persist-data/level',
        meaning: 'With what the configured queue says should be there, as far as the store has consumed it',
      },
      { line: 'verify redis://localhost:6379/0 ndjson:commands.ndjson --json', meaning: 'With a file, for programs' },
      {
        line: 'verify --deep level:macp-persist-data/level',
        meaning: 'One store, without anything to compare it with',
      },
    ],
  },
  async run(context) {
    const [store = '', other] = context.positionals;
    const isDeep = context.options.has('deep');
    const findings = isDeep ? await examine(store, context) : 0;
    const compared = isDeep && other === undefined ? 'done' : await compare(store, other, context);
    return findings === 0 ? compared : 'different';
  },
};

async function examine(url: string, context: CommandContext): Promise<number> {
  const { output } = context;
  using progress = new PhaseProgress(output, units);
  const examination = await verifyDeep(url, {
    ...requestOf(context, progress),
    onFinding: (finding) => printFinding(finding, output),
  });
  progress.end();
  await printExamination(examination, output);
  return examination.findings;
}

async function compare(store: string, other: string | undefined, context: CommandContext): Promise<ExitName> {
  const { output } = context;
  using progress = new PhaseProgress(output, units);
  const request = {
    ...requestOf(context, progress),
    onDifference: (difference: Parameters<typeof printDifference>[0]) => printDifference(difference, output),
  };
  const isStore = other !== undefined && storeUrlProblem(other) === undefined;
  const report = await (isStore ? verifyStores([store, other], request) : verifyWithSource(store, other, request));
  progress.end();
  await printComparison(report, output);
  if (report.differences > 0) return 'different';
  return report.movingSessions > 0 ? 'unavailable' : 'done';
}

function requestOf(
  { configuration: { values }, interruption }: CommandContext,
  progress: PhaseProgress<VerifyPhase>,
): VerifyListener & { readonly values: typeof values; readonly signal: AbortSignal } {
  return {
    values,
    signal: interruption,
    onPhase: (phase, total) => progress.onPhase(phase, total),
    onProgress: (done) => progress.onProgress(done),
    onRemark: (text) => progress.onRemark(text),
  };
}

function checkOther(text: string): string | undefined {
  if (storeUrlProblem(text) === undefined || queueUrlProblem(text) === undefined) return undefined;
  return 'names neither a store, nor a queue or ndjson:FILE';
}
