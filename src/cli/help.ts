import { exitCodes } from '../compose/exit-codes.ts';
import { flagOf, variableOf } from '../configuration/names.ts';
import type { SettingsTable } from '../configuration/settings.ts';
import { commonOptions } from './arguments.ts';
import type { Command, CommandShape } from './command.ts';

const program = 'macp-persist';

/** The help of the whole program. */
export function programHelp(commands: readonly Command[]): string {
  return [
    `${program}: the asynchronous, ordered, replayable write path for MACP clusters`,
    '',
    `Usage: ${program} COMMAND [OPTIONS]`,
    '',
    'Commands:',
    ...table(commands.map(({ shape }) => [wordsOf(shape).join(' '), shape.summary])),
    '',
    'Start here:',
    ...table([
      [`${program} start`, 'run everything in one process, with its data in ./macp-persist-data'],
      [`${program} publish commands.ndjson`, 'in another terminal: send commands, which it persists at once'],
      [`${program} sessions list`, 'see what is there'],
      [`${program} doctor`, 'find out what is wrong, where something is'],
    ]),
    '',
    `Every setting is a flag (--data-dir), an environment variable (${variableOf('dataDir')}) and a key of`,
    `macp-persist.json (dataDir), in this order of precedence: \`${program} config\` shows them all.`,
    `\`${program} COMMAND --help\` shows the options of one command.`,
    '',
    'Exit codes:',
    ...table(Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning])),
  ].join('\n');
}

/** The help of one command. */
export function commandHelp(shape: CommandShape, settings: SettingsTable): string {
  const options = [...shape.options, ...commonOptions].map(({ name, placeholder, description }) => [
    placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`,
    description,
  ]);
  return [
    shape.summary,
    '',
    `Usage: ${usageOf(shape)}`,
    '',
    'Options:',
    ...table(options),
    '',
    ...settingLines(shape, settings),
    'Examples:',
    ...shape.examples.flatMap(({ line, meaning }) => [`  # ${meaning}`, `  ${program} ${line}`]),
  ].join('\n');
}

/** How a command is typed. */
export function usageOf(shape: CommandShape): string {
  return `${[program, ...wordsOf(shape)].join(' ')} [OPTIONS]`;
}

/** The command's name, its arguments, and the options that it cannot do without. */
function wordsOf({ name, positionals, options }: CommandShape): readonly string[] {
  const required = options.filter((option) => option.required === true);
  return [
    name,
    ...positionals.map((argument) => (argument.optional === true ? `[${argument.name}]` : argument.name)),
    ...required.map((option) => `--${option.name} ${option.placeholder}`),
  ];
}

function settingLines(shape: CommandShape, settings: SettingsTable): readonly string[] {
  const rows = settingRows(shape, settings);
  if (rows.length === 0) return [];
  return [
    `Settings (also as environment variables and file keys; \`${program} config\` shows all, every command takes all):`,
    ...table(rows),
    '',
  ];
}

function settingRows(shape: CommandShape, settings: SettingsTable): readonly (readonly string[])[] {
  const shown = Object.entries(settings).filter(
    ([key]) => shape.settings.includes('*') || shape.settings.includes(key),
  );
  return shown.map(([key, { kind, description, fallback }]) => [
    kind.placeholder === undefined ? `--${flagOf(key)}` : `--${flagOf(key)} ${kind.placeholder}`,
    fallback === undefined ? description : `${description} (default ${String(fallback)})`,
  ]);
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const width = Math.min(40, Math.max(...rows.map(([left = '']) => left.length)));
  return rows.flatMap(([left = '', right = '']) =>
    left.length > width ? [`  ${left}`, `  ${' '.repeat(width)}  ${right}`] : [`  ${left.padEnd(width)}  ${right}`],
  );
}
