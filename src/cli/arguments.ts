import { parseArgs } from 'node:util';
import type { Mistake } from '../configuration/mistakes.ts';
import { flagOf, suggestion } from '../configuration/names.ts';
import { shownValue } from '../configuration/redaction.ts';
import type { SettingsTable } from '../configuration/settings.ts';
import type { CommandArgument, CommandOption, CommandShape } from './command.ts';

/** A command line, taken apart. Nothing in it is converted: an id such as `007` stays a text. */
export interface ParsedArguments {
  readonly positionals: readonly string[];
  /** The command's own options by name; one without a value is the empty text. */
  readonly options: ReadonlyMap<string, string>;
  /** Flags of settings by name. */
  readonly flags: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
}

/** Options that every command takes. */
export const commonOptions: readonly CommandOption[] = [
  {
    name: 'config',
    placeholder: 'FILE',
    values: 'file',
    description: 'Configuration file (else ./macp-persist.json, where there is one)',
  },
  { name: 'json', placeholder: undefined, description: 'Print results and failures as JSON' },
  { name: 'help', placeholder: undefined, description: 'Show this help' },
];

/** Takes apart what follows the command's name. Every mistake is kept, so that all are reported together. */
export function parseArguments(shape: CommandShape, table: SettingsTable, words: readonly string[]): ParsedArguments {
  const own = new Map(
    [...shape.options, ...commonOptions].map((option) => [option.name, option.placeholder !== undefined]),
  );
  const checks = new Map(shape.options.map((option) => [option.name, checkOf(option)]));
  const settings = new Map(
    Object.entries(table).map(([key, { kind }]) => [flagOf(key), kind.placeholder !== undefined]),
  );
  const takesValue = new Map([...settings, ...own]);
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries([...takesValue].map(([name, value]) => [name, { type: value ? 'string' : 'boolean' }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const found = new Map<string, string>();
  const positionals: string[] = [];
  const mistakes: Mistake[] = [];
  let followsUnknown = false;
  for (const token of tokens) {
    // What follows an unknown option may be its value, and a secret: it is neither used nor shown.
    if (token.kind === 'positional' && !followsUnknown) positionals.push(token.value);
    followsUnknown = false;
    if (token.kind !== 'option') continue;
    const { name, value, problem } = readOption(token, takesValue, settings, checks.get(token.name));
    followsUnknown = !takesValue.has(name) && token.inlineValue !== true;
    if (problem !== undefined) mistakes.push({ source: token.rawName, problem });
    else if (found.has(name)) mistakes.push({ source: token.rawName, problem: 'it is given twice' });
    else found.set(name, value);
  }
  const isWrong = (name: string): boolean => mistakes.some(({ source }) => source === `--${name}`);
  const missing = missingOptions(shape, found).filter(({ name }) => !isWrong(name));
  mistakes.push(...positionalMistakes(shape, positionals), ...missing.map(missingOption));
  const pick = (names: ReadonlyMap<string, boolean>) => new Map([...found].filter(([name]) => names.has(name)));
  return {
    positionals,
    options: pick(own),
    flags: pick(new Map([...settings].filter(([name]) => !own.has(name)))),
    mistakes,
  };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

interface ReadOption {
  readonly name: string;
  readonly value: string;
  readonly problem?: string;
}

function readOption(
  token: OptionToken,
  takesValue: ReadonlyMap<string, boolean>,
  settings: ReadonlyMap<string, boolean>,
  check: CommandOption['check'],
): ReadOption {
  const { name, value, inlineValue } = token;
  const wrong = (problem: string): ReadOption => ({ name, value: '', problem });
  const expects = takesValue.get(name);
  if (expects === undefined) {
    const positive = name.startsWith('no-') ? name.slice(3) : name;
    if (positive !== name && settings.get(positive) === false && value === undefined)
      return { name: positive, value: 'false' };
    return wrong(`there is no such option${suggestion(name, takesValue.keys(), '--')}`);
  }
  if (!expects) {
    if (value !== undefined && !settings.has(name)) return wrong('it takes no value');
    return { name, value: value ?? (settings.has(name) ? 'true' : '') };
  }
  if (value === undefined) return wrong('it needs a value');
  // A forgotten value must not swallow the next option.
  if (inlineValue !== true && value.length > 1 && value.startsWith('-')) {
    return wrong(`it needs a value (write ${token.rawName}=VALUE for one that begins with "-")`);
  }
  const problem = check?.(value);
  return problem === undefined ? { name, value } : wrong(`${shownValue(value)} ${problem}`);
}

/** True when a failure of these words is to be told as JSON, even where they cannot be taken apart. */
export function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end === -1 ? words : words.slice(0, end)).includes('--json');
}

function checkOf({ values, check }: CommandOption | CommandArgument): CommandOption['check'] {
  return typeof values === 'object' ? (value) => wordProblem(value, values) : check;
}

function wordProblem(word: string, words: readonly string[]): string | undefined {
  return words.includes(word) ? undefined : `is none of ${words.join(', ')}${suggestion(word, words)}`;
}

function positionalMistakes(shape: CommandShape, positionals: readonly string[]): readonly Mistake[] {
  const missing = shape.positionals
    .slice(positionals.length)
    .filter(({ optional }) => optional !== true)
    .map(({ name }) => ({ source: name, problem: 'it is missing' }));
  const surplus = positionals
    .slice(shape.positionals.length)
    .map((word) => ({ source: shownValue(word), problem: `${shape.name} takes no such argument` }));
  const wrong = shape.positionals.flatMap((argument, index) => {
    const { name } = argument;
    const word = positionals[index];
    const problem = word === undefined ? undefined : checkOf(argument)?.(word);
    return problem === undefined ? [] : [{ source: name, problem: `${shownValue(word)} ${problem}` }];
  });
  return [...missing, ...wrong, ...surplus];
}

function missingOptions(shape: CommandShape, found: ReadonlyMap<string, string>): readonly CommandOption[] {
  return shape.options.filter(({ name, required }) => required === true && !found.has(name));
}

function missingOption({ name, placeholder }: CommandOption): Mistake {
  return { source: `--${name} ${placeholder}`, problem: 'it is missing' };
}
