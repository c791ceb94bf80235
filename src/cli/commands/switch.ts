import { isLocked } from '../../compose/owner.ts';
import { type SwitchReport, switchBack, switchStore } from '../../compose/switch-store.ts';
import { isPersistenceError, PersistenceError } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { checkStoreUrl } from '../options.ts';
import { printText } from '../safe-text.ts';

export const switching: Command = {
  shape: {
    name: 'switch',
    summary: 'Let the directory of the store stand for another one, which was built beside it, or go back',
    positionals: [],
    options: [
      {
        name: 'to',
        placeholder: 'STORE_URL',
        description: 'The store that takes its place, of the same kind',
        check: checkStoreUrl,
      },
      { name: 'back', placeholder: undefined, description: 'Go back to the one before the latest switch' },
    ],
    settings: ['store', 'dataDir'],
    examples: [
      {
        line: 'switch --to level:rebuilt',
        meaning: 'Whoever has the old one open goes on with it, and finds the new one when it starts anew',
      },
      { line: 'switch --back', meaning: 'The old one is as it was left, and a worker catches up from there' },
    ],
  },
  async run({ options, output, configuration: { values } }) {
    const to = options.get('to');
    const isBack = options.has('back');
    if ((to === undefined) !== isBack) {
      throw new PersistenceError('INVALID_CONFIGURATION', 'give either --to STORE_URL or --back');
    }
    const report = to === undefined ? await switchBack(values) : await switchStore(to, values);
    if (output.asJson) await output.json(documentOf(report));
    else for (const line of sentences(report)) await output.line(line);
    return 'done';
  },
};

function sentences({ from, to, behind }: SwitchReport): readonly string[] {
  return [`Switched from ${printText(from)} to ${printText(to)}.`, sentenceOf(behind)];
}

function sentenceOf(behind: SwitchReport['behind']): string {
  if (isLocked(behind)) return 'A process has the old one open: it goes on with that until it is started anew.';
  if (isPersistenceError(behind)) {
    return `The old one cannot be read (${behind.code}): whatever the new one lacks, a worker fetches when it starts.`;
  }
  return `It lacks ${behind} records that the old one has consumed: a worker fetches them when it starts.`;
}

/** `behind` is null where the old one could not be asked, and `because` the code that says why. */
function documentOf({ from, to, behind }: SwitchReport): object {
  return isPersistenceError(behind) ? { from, to, behind: null, because: behind.code } : { from, to, behind };
}
