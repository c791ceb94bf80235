import type { Kind } from './kinds.ts';

/** One setting. Its flag, environment variable and file key derive from its key in the table. */
export interface Setting<Value> {
  readonly kind: Kind<NonNullable<Value>>;
  readonly description: string;
  /** What the file would hold when nobody sets it; `undefined`: the setting has no value then. */
  readonly fallback: unknown;
  /** Never shown, logged or repeated in an error. */
  readonly secret: boolean;
  /** Upstream's own environment variables, which come after all of ours. */
  readonly upstream: UpstreamSource | undefined;
}

/** Reads a setting from the variables that macp-runtime itself knows. */
export interface UpstreamSource {
  /** The variables that take part, for people. */
  readonly variables: readonly string[];
  /** The setting as text and the variables that it came from, or undefined where they say nothing. */
  read(environment: Environment): { readonly text: string; readonly from: string } | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings by key, as data: everything else derives from it. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** The effective values of a table's settings, by key. */
export type ValuesOf<Table extends SettingsTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Setting<infer Value> ? Value : never;
};

interface Extras {
  readonly secret?: true;
  readonly upstream?: UpstreamSource;
}

/** A setting that always has a value: `fallback`, written as the file would hold it, unless someone sets another. */
export function setting<Value>(
  kind: Kind<Value>,
  fallback: unknown,
  description: string,
  extras: Extras = {},
): Setting<Value> {
  return {
    kind: kind as Kind<NonNullable<Value>>,
    description,
    fallback,
    secret: extras.secret ?? false,
    upstream: extras.upstream,
  };
}

/** A setting that has no value unless someone sets it. */
export function optionalSetting<Value>(
  kind: Kind<Value>,
  description: string,
  extras: Extras = {},
): Setting<Value | undefined> {
  return { ...setting(kind, undefined, description, extras), kind: kind as Kind<NonNullable<Value>> };
}
