import type { Origin } from './given.ts';
import { redacted } from './redaction.ts';
import type { Configuration } from './resolve.ts';
import type { SettingsTable } from './settings.ts';

/** One effective setting as it may be shown to anyone. */
export interface ShownSetting {
  readonly key: string;
  /** As a flag would be given it; undefined where the setting has no value; secrets hidden. */
  readonly value: string | undefined;
  readonly origin: Origin;
}

/** Every effective setting in the order of the table, secrets hidden. */
export function showConfiguration(configuration: Configuration<SettingsTable>): readonly ShownSetting[] {
  return Object.entries(configuration.table).map(([key, { kind, secret }]) => {
    const value = configuration.values[key];
    const shown = value === undefined || value === null ? undefined : secret ? redacted : kind.show(value);
    return { key, value: shown, origin: configuration.origins[key] ?? { from: 'default', name: 'default' } };
  });
}
