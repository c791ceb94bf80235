import { JsonSyntaxError } from '../domain/documents/json-reader.ts';
import { compactJson } from '../domain/documents/json-text.ts';
import type { Mistake } from './mistakes.ts';
import { flagOf, isSettingVariable, suggestion, variableOf } from './names.ts';
import type { Environment, SettingsTable } from './settings.ts';

/** Where a value came from. */
export interface Origin {
  readonly from: 'flag' | 'environment' | 'file' | 'upstream' | 'default';
  /** The flag, the variable, or the file and key, for people; for a default, `default`. */
  readonly name: string;
}

/** A value as somebody gave it, not yet checked, in the form that the configuration file would hold. */
export interface Given {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
}

/** What one source gives, and what is wrong with its names. */
export interface GivenSettings {
  readonly given: readonly Given[];
  readonly mistakes: readonly Mistake[];
}

/** Settings from flags: texts by flag name, without the dashes. The names are known ones. */
export function fromFlags(table: SettingsTable, flags: ReadonlyMap<string, string>): GivenSettings {
  const given = Object.entries(table).flatMap(([key, { kind }]) => {
    const text = flags.get(flagOf(key));
    return text === undefined
      ? []
      : [{ key, value: kind.fromText(text), origin: { from: 'flag' as const, name: `--${flagOf(key)}` } }];
  });
  return { given, mistakes: [] };
}

/** Settings from environment variables. A variable with our prefix that is no setting is a mistake. */
export function fromEnvironment(
  table: SettingsTable,
  environment: Environment,
  others: readonly string[],
): GivenSettings {
  const keys = new Map(Object.keys(table).map((key) => [variableOf(key), key]));
  const given: Given[] = [];
  const mistakes: Mistake[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !isSettingVariable(name) || others.includes(name)) continue;
    const key = keys.get(name);
    const kind = key === undefined ? undefined : table[key]?.kind;
    if (key !== undefined && kind !== undefined) {
      given.push({ key, value: kind.fromText(text), origin: { from: 'environment', name } });
    } else {
      mistakes.push({
        source: name,
        problem: `there is no such setting${suggestion(name, [...keys.keys(), ...others])}`,
      });
    }
  }
  return { given, mistakes };
}

/** Settings from the text of a configuration file at `path`: JSON, keys nested at their dots. */
export function fromFile(table: SettingsTable, path: string, text: string): GivenSettings {
  let content: unknown;
  try {
    content = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch {
    return { given: [], mistakes: [{ source: path, problem: `this is not JSON${placeOfMistake(text)}` }] };
  }
  if (!isObject(content))
    return { given: [], mistakes: [{ source: path, problem: 'the settings are not a JSON object' }] };
  return readObject(table, path, content, '');
}

/**
 * Where `text` stops being JSON, and what should stand there. The parser's own message repeats the text around the
 * mistake, which may be a secret.
 */
function placeOfMistake(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  try {
    compactJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const before = bytes.toString('utf8', 0, error.offset).split('\n');
    return `: ${error.expected} expected in line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
  }
  return '';
}

function readObject(
  table: SettingsTable,
  path: string,
  content: Readonly<Record<string, unknown>>,
  prefix: string,
): GivenSettings {
  const keys = Object.keys(table);
  const groups = new Set(keys.flatMap((known) => known.split('.').slice(0, -1)));
  const given: Given[] = [];
  const mistakes: Mistake[] = [];
  for (const [name, value] of Object.entries(content)) {
    const key = prefix + name;
    const source = `${path}, key ${key}`;
    if (key === '$schema') continue;
    if (!name.includes('.') && Object.hasOwn(table, key)) {
      given.push({ key, value, origin: { from: 'file', name: source } });
    } else if (name.includes('.') && Object.hasOwn(table, key)) {
      mistakes.push({ source, problem: `write it as nested objects: ${nested(key)}` });
    } else if (keys.some((known) => known.startsWith(`${key}.`))) {
      if (isObject(value)) {
        const inner = readObject(table, path, value, `${key}.`);
        given.push(...inner.given);
        mistakes.push(...inner.mistakes);
      } else {
        mistakes.push({ source, problem: 'this is a group of settings: write an object' });
      }
    } else {
      mistakes.push({ source, problem: `there is no such setting${suggestion(key, [...keys, ...groups])}` });
    }
  }
  return { given, mistakes };
}

function nested(key: string): string {
  return key.split('.').reduceRight((inner, part) => `{ "${part}": ${inner} }`, '…');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
