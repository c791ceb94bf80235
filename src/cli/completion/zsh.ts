import type { KnownValues } from '../../configuration/kinds.ts';
import { type CompletedOption, type CompletionTable, firstWords, secondWords } from './completion-table.ts';

/** The completion script for zsh, to be kept as `_macp-persist` in a directory of `fpath`. */
export function zshScript(table: CompletionTable): string {
  const groups = [...firstWords(table).keys()].filter((first) => secondWords(table, first).length > 0);
  return `#compdef macp-persist
# zsh completion for macp-persist
_macp_persist() {
  local -a common=(
${table.options.map((option) => `    ${specOf(option)}`).join('\n')}
  )
  local -a commands=(
${[...firstWords(table)].map(([word, description]) => `    ${described(word, description)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  case $command in
${groups.map((first) => groupCase(table, first)).join('\n')}
    *)
      shift words
      ((CURRENT -= 1))
      ;;
  esac
  case $command in
${table.commands.map(({ name, options, values }) => commandCase(name, options, values)).join('\n')}
  esac
}
if [[ $funcstack[1] == _macp-persist ]]; then
  _macp_persist "$@"
else
  compdef _macp_persist macp-persist
fi
`;
}

function groupCase(table: CompletionTable, first: string): string {
  const rows = secondWords(table, first).map(({ name, description }) => [name.slice(first.length + 1), description]);
  return `    ${first})
      if ((CURRENT == 3)); then
        commands=(
${rows.map(([word = '', description = '']) => `          ${described(word, description)}`).join('\n')}
        )
        _describe command commands
        return
      fi
      command="$command $words[3]"
      shift 2 words
      ((CURRENT -= 2))
      ;;`;
}

function commandCase(
  name: string,
  options: readonly CompletedOption[],
  values: readonly (KnownValues | undefined)[],
): string {
  const own = options.map(specOf);
  const places = values.map((value, index) => quoted(`${index + 1}: :${action(value)}`));
  return `    ${quoted(name)}) _arguments ${[...own, ...places, '$common'].join(' ')} ;;`;
}

/** An option in the language of `_arguments`. */
function specOf({ name, description, takesValue, values }: CompletedOption): string {
  const about = description.replaceAll(/[\\[\]:]/g, '\\$&');
  return quoted(takesValue ? `--${name}=[${about}]: :${action(values)}` : `--${name}[${about}]`);
}

function action(values: KnownValues | undefined): string {
  if (values === undefined) return ' ';
  if (values === 'file') return '_files';
  if (values === 'directory') return '_files -/';
  return `(${values.map((value) => value.replaceAll(/[\\ ():]/g, '\\$&')).join(' ')})`;
}

function described(word: string, description: string): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${description}`);
}

/** `text` as one word of a shell, whatever stands in it. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
