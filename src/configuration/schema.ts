import { z } from 'zod';
import type { Setting, SettingsTable } from './settings.ts';

/** A JSON Schema object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

interface Group extends Map<string, Group | Setting<unknown>> {}

/** The JSON Schema (draft 2020-12) of a configuration file with the settings of `table`, keys nested at their dots. */
export function configurationSchema(table: SettingsTable): JsonSchema {
  const root: Group = new Map();
  for (const [key, setting] of Object.entries(table)) place(root, key.split('.'), setting);
  const { properties, ...rest } = groupSchema(root);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration file of macp-persist',
    ...rest,
    properties: { $schema: { type: 'string', description: 'This schema, for editors' }, ...properties },
  };
}

function place(group: Group, path: readonly string[], setting: Setting<unknown>): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    group.set(name, setting);
    return;
  }
  const inner = group.get(name);
  const next: Group = inner instanceof Map ? inner : new Map();
  group.set(name, next);
  place(next, rest, setting);
}

function groupSchema(group: Group): {
  readonly type: 'object';
  readonly properties: JsonSchema;
  readonly additionalProperties: false;
} {
  const members = [...group].map(([name, member]) => [
    name,
    member instanceof Map ? groupSchema(member) : leafSchema(member),
  ]);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(members) };
}

function leafSchema({ kind, description, fallback, secret }: Setting<unknown>): JsonSchema {
  const { $schema: _, ...shape } = z.toJSONSchema(kind.schema, { io: 'input' });
  return {
    description,
    ...shape,
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(secret ? { writeOnly: true } : {}),
  };
}
