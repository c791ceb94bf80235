import type { TransferListener, TransferPhase, TransferReport } from '../../compose/transfer.ts';
import type { Output } from '../output.ts';
import type { Progress } from '../progress.ts';
import { printText } from '../safe-text.ts';

const units: Readonly<Record<TransferPhase, string>> = {
  copying: 'sessions copied',
  verifying: 'sessions compared',
  checking: 'sessions checked',
  publishing: 'commands',
};

/** Shows the phases of a transfer, each with a progress of its own. */
export class TransferProgress implements TransferListener, Disposable {
  readonly #output: Output;
  #progress: Progress | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  onPhase(phase: TransferPhase, total: number): void {
    this.#progress?.end();
    this.#progress = this.#output.progress(units[phase], total);
  }

  onProgress(done: number): void {
    this.#progress?.update(done);
  }

  onRemark(text: string): void {
    this.#output.remark(printText(text));
  }

  end(): void {
    this.#progress?.end();
    this.#progress = undefined;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

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
