import type { KnownValues } from '../../configuration/kinds.ts';
import { type CompletedOption, type CompletionTable, firstWords, secondWords } from './completion-table.ts';

const complete = 'complete -c macp-persist';

/** The completion script for fish. */
export function fishScript(table: CompletionTable): string {
  const first = [...firstWords(table)].map(
    ([word, description]) => `${complete} -n __fish_use_subcommand -a ${word} -d ${quoted(description)}`,
  );
  const groups = [...firstWords(table).keys()].flatMap((word) => groupLines(table, word));
  const own = table.commands.flatMap(({ name, options, values: [value] }) => [
    ...options.map((option) => `${complete} -n ${quoted(isTyped(name))} ${optionWords(option)}`),
    ...(value === undefined ? [] : [`${complete} -n ${quoted(isTyped(name))} ${valueWords(value)}`]),
  ]);
  const common = table.options.map(
    (option) => `${complete} -n ${quoted('not __fish_use_subcommand')} ${optionWords(option)}`,
  );
  return ['# fish completion for macp-persist', `${complete} -f`, ...first, ...groups, ...own, ...common, ''].join(
    '\n',
  );
}

function groupLines(table: CompletionTable, first: string): readonly string[] {
  const seconds = secondWords(table, first);
  const words = seconds.map(({ name }) => name.slice(first.length + 1));
  const condition = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${words.join(' ')}`;
  return seconds.map(
    ({ description }, index) => `${complete} -n ${quoted(condition)} -a ${words[index]} -d ${quoted(description)}`,
  );
}

/** The condition that a command was typed. */
function isTyped(name: string): string {
  return name
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
}

function optionWords({ name, description, takesValue, values }: CompletedOption): string {
  const value = !takesValue ? '' : values === undefined ? ' -x' : ` ${valueWords(values)}`;
  return `-l ${name}${value} -d ${quoted(description)}`;
}

function valueWords(values: KnownValues): string {
  if (values === 'file') return '-rF';
  if (values === 'directory') return `-x -a ${quoted('(__fish_complete_directories)')}`;
  return `-x -a ${quoted(values.map((value) => (/^[\w./:-]+$/.test(value) ? value : `"${value}"`)).join(' '))}`;
}

/** `text` as one word of fish. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
