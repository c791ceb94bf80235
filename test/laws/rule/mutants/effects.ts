import { draft, type Mutant, mutant } from './mutant.ts';

/** Section 3: what command types do to the data. */
export const effects: readonly Mutant[] = [
  mutant(draft, 'the first receipt stays', ' || this.#cursor.hasReceipt) return;', ') return;'),
  mutant(
    draft,
    'no receipt for a session that is not known',
    "this.#cursor.presence !== 'known' || this.#cursor.hasReceipt",
    'this.#cursor.hasReceipt',
  ),
  mutant(draft, 'no anchor for a session that is not known', "if (this.#cursor.presence !== 'known') return;", ''),
  mutant(draft, 'delete removes the snapshot', "this.#snapshot = 'remove';", ''),
  mutant(draft, 'delete removes the receipt', "this.#receipt = 'remove';", ''),
  mutant(draft, 'delete removes the anchor', "this.#anchor = 'remove';", ''),
  mutant(draft, 'delete removes the log', 'this.#restartLog([], 0);', ''),
  mutant(draft, 'delete leaves a tombstone', "cursor.presence = 'deleted';", ''),
  mutant(draft, 'replace replaces the log', 'this.#resetsLog = true;', ''),
  mutant(draft, 'a replaced log brings its own base', 'this.#cursor.compactionBase = compactionBase;', ''),
  mutant(
    draft,
    'the base is the largest of the log',
    'Math.max(this.#cursor.compactionBase, content.facts.compactionBase)',
    'content.facts.compactionBase',
  ),
];
