import type { Readable } from 'node:stream';
import type { ExitName } from '../compose/exit-codes.ts';
import type { KnownValues } from '../configuration/kinds.ts';
import type { Configuration } from '../configuration/resolve.ts';
import type { Settings } from '../configuration/settings.ts';
import type { Output } from './output.ts';

/** An option of one command that is no setting. */
export interface CommandOption {
  /** Without its dashes. */
  readonly name: string;
  /** What stands for its value in help texts; undefined when it takes none. */
  readonly placeholder: string | undefined;
  readonly description: string;
  /** True when the command cannot do without it. */
  readonly required?: true;
  /** The only values there are, or the kind of path that shells complete. */
  readonly values?: KnownValues;
  /** What is wrong with a value, or undefined. */
  readonly check?: (value: string) => string | undefined;
}

/** An argument of one command. */
export interface CommandArgument {
  /** As help texts show it. */
  readonly name: string;
  /** True when the command can do without it. Only the last ones can be left out. */
  readonly optional?: true;
  /** What is wrong with a value, or undefined. */
  readonly check?: (value: string) => string | undefined;
  readonly values?: KnownValues;
}

interface Example {
  readonly line: string;
  readonly meaning: string;
}

/** What a command looks like from outside. */
export interface CommandShape {
  /** One word or two, as typed. */
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly CommandArgument[];
  readonly options: readonly CommandOption[];
  /** Keys of the settings that matter to it, for its help; every command accepts all. */
  readonly settings: readonly string[];
  readonly examples: readonly Example[];
}

/** What a running command may use. */
export interface CommandContext {
  readonly positionals: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly configuration: Configuration<Settings>;
  readonly output: Output;
  /** Standard input. */
  readonly input: Readable;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly interruption: AbortSignal;
}

export interface Command {
  readonly shape: CommandShape;
  run(context: CommandContext): Promise<ExitName>;
  /** Called in place of `run` where the settings are wrong; without it the program ends with the error. */
  misconfigured?(error: unknown, output: Output): Promise<ExitName>;
}
