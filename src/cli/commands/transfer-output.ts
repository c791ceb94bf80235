import type { TransferPhase, TransferReport } from '../../compose/transfer.ts';
import type { Output } from '../output.ts';
import { printText } from '../safe-text.ts';

/** What is counted in each phase of a transfer. */
export const transferUnits: Readonly<Record<TransferPhase, string>> = {
  copying: 'sessions copied',
  verifying: 'sessions compared',
  checking: 'sessions checked',
  publishing: 'commands',
};

/** Prints what a copy came to. */
export async function printTransfer(report: TransferReport, output: Output): Promise<void> {
  const { from, to, sessions, passedOver, entries, bytes, digest } = report;
  if (output.asJson) {
    return output.json({ from, to, sessions, passed_over: passedOver, log_entries: entries, bytes, sha256: digest });
  }
  const before = passedOver === 0 ? '' : ` (${passedOver} of them by an earlier attempt)`;
  await output.line(`Copied ${sessions} sessions${before} from ${printText(from)} to ${printText(to)}.`);
  await output.line(`This time ${entries} log entries, ${bytes} bytes with snapshots, receipts and anchors.`);
  await output.line(`Read and compared on both sides: SHA-256 ${digest}`);
}
