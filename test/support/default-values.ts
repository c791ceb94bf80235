import { buildSettings } from '../../src/compose/settings.ts';
import { resolveConfiguration } from '../../src/configuration/resolve.ts';
import type { Values } from '../../src/configuration/settings.ts';

/** Every setting as it is with these flags and nothing else. */
export function valuesWith(flags: Readonly<Record<string, string>>): Values {
  return resolveConfiguration(buildSettings(), {
    flags: new Map(Object.entries(flags)),
    environment: {},
    file: undefined,
    otherVariables: [],
    mistakes: [],
  }).values;
}

export const defaultValues: Values = valuesWith({});
