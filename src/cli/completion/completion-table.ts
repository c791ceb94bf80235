import type { KnownValues } from '../../configuration/kinds.ts';
import { flagOf } from '../../configuration/names.ts';
import type { SettingsTable } from '../../configuration/settings.ts';
import { commonOptions } from '../arguments.ts';
import type { CommandShape } from '../command.ts';

/** An option as shells complete it. */
export interface CompletedOption {
  /** Without its dashes. */
  readonly name: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly values: KnownValues | undefined;
}

export interface CompletedCommand {
  /** One word or two, as typed. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Of its arguments, one by one. */
  readonly values: readonly (KnownValues | undefined)[];
}

/** What shells complete, as data. */
export interface CompletionTable {
  readonly commands: readonly CompletedCommand[];
  /** Options that every command takes: settings and the common ones. */
  readonly options: readonly CompletedOption[];
}

/** Everything that can be typed, from the shapes of the commands and the table of settings. */
export function completionTable(shapes: readonly CommandShape[], settings: SettingsTable): CompletionTable {
  const ofSettings = Object.entries(settings).map(([key, { kind, description }]) => ({
    name: flagOf(key),
    description,
    takesValue: kind.placeholder !== undefined,
    values: kind.values,
  }));
  return {
    commands: shapes.map(({ name, summary, options, positionals }) => ({
      name,
      description: summary,
      options: options.map(completed),
      values: positionals.map(({ values }) => values),
    })),
    options: [...ofSettings, ...commonOptions.map(completed)],
  };
}

/** The first words of all commands, each once, with what it is. */
export function firstWords({ commands }: CompletionTable): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const { name, description } of commands) {
    const [first = ''] = name.split(' ');
    const group = commands.filter((command) => command.name.startsWith(`${first} `));
    const second = group.map((command) => command.name.slice(first.length + 1)).join(', ');
    words.set(first, group.length === 0 ? description : second);
  }
  return words;
}

/** The second words of the commands of a group. */
export function secondWords({ commands }: CompletionTable, first: string): readonly CompletedCommand[] {
  return commands.filter(({ name }) => name.startsWith(`${first} `));
}

function completed(option: CommandShape['options'][number]): CompletedOption {
  const { name, description, placeholder, values } = option;
  return { name, description, takesValue: placeholder !== undefined, values };
}
