import { PersistenceError } from '../domain/errors.ts';

/** One thing that is wrong with the settings. */
export interface Mistake {
  /** The flag, environment variable, or file and key that it stands in. */
  readonly source: string;
  /** What is wrong with it and what to do, without any secret. */
  readonly problem: string;
}

/** Everything that is wrong with the settings, at once. Code `INVALID_CONFIGURATION`. */
export class ConfigurationError extends PersistenceError {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    const lines = mistakes.map(({ source, problem }) => `  ${source}: ${problem}`);
    const count = mistakes.length === 1 ? 'one setting is' : `${mistakes.length} settings are`;
    super('INVALID_CONFIGURATION', [`${count} wrong:`, ...lines].join('\n'));
    this.mistakes = mistakes;
  }
}
