import type { Readable } from 'node:stream';
import type { ExitName } from '../compose/exit-codes.ts';
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
  /** What is wrong with a value, or undefined. */
  readonly check?: (value: string) => string | undefined;
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
  /** Names of its arguments, all required. */
  readonly positionals: readonly string[];
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
}
