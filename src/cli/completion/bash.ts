import type { KnownValues } from '../../configuration/kinds.ts';
import { type CompletedOption, type CompletionTable, firstWords, secondWords } from './completion-table.ts';

/**
 * The completion script for bash. It needs nothing beside bash itself. Values are offered a line each and quoted, as
 * some hold a space.
 */
export function bashScript(table: CompletionTable): string {
  const groups = [...firstWords(table).keys()].filter((first) => secondWords(table, first).length > 0);
  return `# bash completion for macp-persist
_macp_persist_words() {
  local word words=()
  while IFS= read -r word; do
    [[ $word == "$current"* ]] && words+=("$(printf '%q' "$word")")
  done <<< "$1"
  COMPREPLY=("\${words[@]}")
}

_macp_persist() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  # "--state=op" arrives as three words.
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _macp_persist_words ${ansiQuoted([...firstWords(table).keys(), '--help', '--version'])}
    return
  fi
  local command=\${COMP_WORDS[1]}
  case $command in
${groups.map((first) => groupCase(table, first)).join('\n')}
  esac
  local known=1
  case "$command $previous" in
${table.commands.flatMap(({ name, options }) => valueCases(options, (option) => `${pattern(name)}' --${option}'`)).join('\n')}
    *) known= ;;
  esac
  [[ $known ]] && return
  case $previous in
${valueCases(table.options, (option) => `--${option}`).join('\n')}
  esac
  if [[ $current == -* ]]; then
    local options=${ansiQuoted(table.options.map(({ name }) => `--${name}`))}
    case $command in
${table.commands
  .filter(({ options }) => options.length > 0)
  .map(
    ({ name, options }) => `      ${pattern(name)}) options+=$'\\n'${ansiQuoted(options.map((o) => `--${o.name}`))} ;;`,
  )
  .join('\n')}
    esac
    _macp_persist_words "$options"
    return
  fi
  case $command in
${table.commands.flatMap(({ name, values: [first] }) => (first === undefined ? [] : [`    ${pattern(name)}) ${offer(first)} ;;`])).join('\n')}
  esac
}
complete -F _macp_persist macp-persist
`;
}

function groupCase(table: CompletionTable, first: string): string {
  const words = secondWords(table, first).map(({ name }) => name.slice(first.length + 1));
  return `    ${first})
      if ((COMP_CWORD == 2)); then
        _macp_persist_words ${ansiQuoted([...words, '--help'])}
        return
      fi
      command="$command \${COMP_WORDS[2]}"
      ;;`;
}

/** What is offered after an option; nothing where any text may follow. */
function valueCases(options: readonly CompletedOption[], patternOf: (name: string) => string): readonly string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(
      ({ name, values }) =>
        `    ${patternOf(name)}) ${values === undefined ? 'return' : `${offer(values)}; return`} ;;`,
    );
}

function offer(values: KnownValues): string {
  if (values === 'file') return 'compopt -o default 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))';
  if (values === 'directory') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current"))';
  return `_macp_persist_words ${ansiQuoted(values)}`;
}

/** A command's name as a pattern of `case`. */
function pattern(name: string): string {
  return name.includes(' ') ? `'${name}'` : name;
}

/** Lines as one word of bash. */
function ansiQuoted(lines: readonly string[]): string {
  return `$'${lines.map((line) => line.replaceAll(/[\\']/g, '\\$&')).join('\\n')}'`;
}
