import { fromEnvironment, fromFile, fromFlags, type Given, type GivenSettings, type Origin } from './given.ts';
import { ConfigurationError, type Mistake } from './mistakes.ts';
import { flagOf, variableOf } from './names.ts';
import { redacted, shownValue } from './redaction.ts';
import type { Environment, Setting, SettingsTable, ValuesOf } from './setting.ts';

/** Every effective value, and where each came from. */
export interface Configuration<Table extends SettingsTable> {
  readonly table: Table;
  readonly values: ValuesOf<Table>;
  readonly origins: { readonly [Key in keyof Table]: Origin };
}

/** Everything that settings are taken from, read beforehand. */
export interface Sources {
  /** Texts by flag name, without the dashes. */
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Environment;
  readonly file: SettingsFile | undefined;
  /** Variables with our prefix that are no settings, such as the one that names the configuration file. */
  readonly otherVariables: readonly string[];
  /** What the caller found wrong already, for instance unknown flags: reported together with all else. */
  readonly mistakes: readonly Mistake[];
}

export interface SettingsFile {
  readonly path: string;
  readonly text: string;
}

const noSettings: GivenSettings = { given: [], mistakes: [] };

/**
 * The effective settings: a flag comes before an environment variable, that before the file, that before upstream's
 * own variables, those before the default. Everything given is checked, also what something else overrides. Throws
 * {@link ConfigurationError} with all mistakes at once.
 */
export function resolveConfiguration<Table extends SettingsTable>(
  table: Table,
  sources: Sources,
): Configuration<Table> {
  const layers = [
    fromFlags(table, sources.flags),
    fromEnvironment(table, sources.environment, sources.otherVariables),
    sources.file === undefined ? noSettings : fromFile(table, sources.file.path, sources.file.text),
  ];
  const mistakes = [...sources.mistakes, ...layers.flatMap((layer) => layer.mistakes)];
  const chosen = new Map<string, { readonly value: unknown; readonly origin: Origin }>();
  const take = (setting: Setting<unknown>, given: Given): void => {
    const checked = check(setting, given);
    if (checked.kind === 'wrong') mistakes.push(checked.mistake);
    else if (!chosen.has(given.key)) chosen.set(given.key, { value: checked.value, origin: given.origin });
  };
  for (const given of layers.flatMap((layer) => layer.given)) {
    const setting = table[given.key];
    if (setting !== undefined) take(setting, given);
  }
  for (const [key, setting] of Object.entries(table)) {
    if (!chosen.has(key))
      for (const given of lastResorts(key, setting, sources.environment).slice(0, 1)) take(setting, given);
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return assemble(table, chosen);
}

/** Upstream's variables where they say something, then the default. */
function lastResorts(key: string, setting: Setting<unknown>, environment: Environment): readonly Given[] {
  const found = setting.upstream?.read(environment);
  const upstream: Given[] =
    found === undefined
      ? []
      : [{ key, value: setting.kind.fromText(found.text), origin: { from: 'upstream', name: found.from } }];
  const fallback: Given[] =
    setting.fallback === undefined
      ? []
      : [{ key, value: setting.fallback, origin: { from: 'default', name: 'default' } }];
  return [...upstream, ...fallback];
}

type Checked =
  | { readonly kind: 'right'; readonly value: unknown }
  | { readonly kind: 'wrong'; readonly mistake: Mistake };

function check(setting: Setting<unknown>, { key, value, origin }: Given): Checked {
  if (value === '') {
    return { kind: 'wrong', mistake: { source: origin.name, problem: 'it is empty: give a value, or leave it out' } };
  }
  const result = setting.kind.schema.safeParse(value);
  if (result.success) return { kind: 'right', value: result.data };
  const shown = setting.secret ? redacted : shownValue(value);
  const reasons = [...new Set(result.error.issues.map((issue) => issue.message))].join('; ');
  const remedy = origin.from === 'upstream' ? `; --${flagOf(key)} or ${variableOf(key)} come before it` : '';
  return { kind: 'wrong', mistake: { source: origin.name, problem: `${shown} ${reasons}${remedy}` } };
}

function assemble<Table extends SettingsTable>(
  table: Table,
  chosen: ReadonlyMap<string, { readonly value: unknown; readonly origin: Origin }>,
): Configuration<Table> {
  const keys = Object.keys(table);
  const unset: Origin = { from: 'default', name: 'default' };
  return {
    table,
    values: Object.fromEntries(keys.map((key) => [key, chosen.get(key)?.value])) as ValuesOf<Table>,
    origins: Object.fromEntries(
      keys.map((key) => [key, chosen.get(key)?.origin ?? unset]),
    ) as Configuration<Table>['origins'],
  };
}
