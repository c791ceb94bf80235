import type { InitReport } from '../compose/kafka.ts';
import type { Output } from './output.ts';
import { printSentence } from './safe-text.ts';

/** Prints what was done to topics, and what was found of them. */
export async function printTopics(report: InitReport, output: Output): Promise<void> {
  if (output.asJson) return output.json(report);
  for (const did of report.did) await output.line(printSentence(did));
  if (report.did.length === 0) await output.line('Everything is as it has to be.');
  for (const { severity, what, remedy } of report.findings) {
    await output.line(`${severity}: ${printSentence(what)}${remedy === '' ? '' : `; ${printSentence(remedy)}`}`);
  }
}
