import type { Output } from './output.ts';
import type { Progress } from './progress.ts';
import { printText } from './safe-text.ts';

/** Shows the phases of a long work, each with a progress of its own. */
export class PhaseProgress<Phase extends string> implements Disposable {
  readonly #output: Output;
  /** What is counted in each phase, in the plural. */
  readonly #units: Readonly<Record<Phase, string>>;
  #progress: Progress | undefined;

  constructor(output: Output, units: Readonly<Record<Phase, string>>) {
    this.#output = output;
    this.#units = units;
  }

  onPhase(phase: Phase, total: number | undefined): void {
    this.#progress?.end();
    this.#progress = this.#output.progress(this.#units[phase], total);
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
