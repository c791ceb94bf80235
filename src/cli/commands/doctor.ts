import { systemClock } from '../../compose/clock.ts';
import { examine, type Finding, judgeConfiguration, judgeMistakes } from '../../compose/doctor/doctor.ts';
import { thisMachine } from '../../compose/doctor/machine.ts';
import type { ExitName } from '../../compose/exit-codes.ts';
import { ConfigurationError } from '../../configuration/mistakes.ts';
import type { Command, CommandContext } from '../command.ts';
import type { Output } from '../output.ts';
import { quietLogger } from '../quiet-logger.ts';
import { printSentence } from '../safe-text.ts';

export const doctor: Command = {
  shape: {
    name: 'doctor',
    summary: 'Look at configuration, machine, disk, data and network, and say what to change',
    positionals: [],
    options: [],
    settings: ['store', 'queue', 'dataDir', 'http.host', 'http.port', 'http.tokens', 'service.backupDirectory'],
    examples: [
      { line: 'doctor', meaning: 'Ends with 0 when there is no problem; warnings are none' },
      { line: 'doctor --data-dir /var/lib/macp --json', meaning: 'For programs' },
    ],
  },
  async run(context: CommandContext): Promise<ExitName> {
    const { configuration, output } = context;
    const examined = {
      values: configuration.values,
      machine: await thisMachine(),
      clock: systemClock,
      logger: quietLogger(configuration),
    };
    const findings = [judgeConfiguration(configuration), ...(await examine(examined))];
    await print(findings, output);
    return findings.some(({ result }) => result === 'problem') ? 'unfit' : 'done';
  },
  async misconfigured(error, output): Promise<ExitName> {
    if (!(error instanceof ConfigurationError)) throw error;
    await print(judgeMistakes(error.mistakes), output);
    return 'usage';
  },
};

async function print(findings: readonly Finding[], output: Output): Promise<void> {
  const count = (result: Finding['result']): number => findings.filter((finding) => finding.result === result).length;
  const counts = { ok: count('ok'), warning: count('warning'), problem: count('problem') };
  if (output.asJson) {
    await output.json({ findings, counts });
    return;
  }
  for (const { subject, result, found, change } of findings) {
    await output.line(`${result.padEnd(8)} ${subject.padEnd(20)} ${printSentence(found)}`);
    if (change !== null) await output.line(`${' '.repeat(29)} change: ${change}`);
  }
  await output.line(`${counts.problem} problems, ${counts.warning} warnings, ${counts.ok} in order.`);
}
