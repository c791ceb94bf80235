import type { Sequence } from '../../domain/identifiers.ts';
import type { PublishResult } from '../../ports/service.ts';
import type { CommandOption } from '../command.ts';
import { numberFromOneProblem, wholeNumber } from '../options.ts';
import type { Output } from '../output.ts';
import { printText } from '../safe-text.ts';

export const sequenceOption: CommandOption = {
  name: 'sequence',
  placeholder: 'N',
  description: 'The open number, as `sessions show` tells it: a decision about any other is refused',
  check: numberFromOneProblem,
};

export function openNumber(options: ReadonlyMap<string, string>): Sequence {
  return wholeNumber(options, 'sequence') as Sequence;
}

/** Tells what became of a decision; `done`: what it has done, where it was applied. */
export async function tellDecision(
  { output }: { readonly output: Output },
  result: PublishResult,
  done: string,
): Promise<'done' | 'deadLettered' | 'unavailable'> {
  if (output.asJson) await output.json(result);
  else if (result.outcome === 'applied') await output.line(`${done} in session ${printText(result.session_id)}.`);
  else if (result.outcome === 'durable') {
    output.remark('The decision is in the queue; it was not seen applied yet. A worker applies it in its turn.');
  } else {
    output.remark(
      `The decision came too late and changed nothing: it is dead letter ${result.dead_letter ?? '(unknown)'}; ` +
        '`macp-persist dead-letters show` tells why.',
    );
  }
  if (result.outcome === 'durable') return 'unavailable';
  return result.outcome === 'applied' ? 'done' : 'deadLettered';
}
