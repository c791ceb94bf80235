import pino from 'pino';
import type { Examined } from '../../../src/compose/doctor/finding.ts';
import { buildSettings } from '../../../src/compose/settings.ts';
import { resolveConfiguration } from '../../../src/configuration/resolve.ts';
import { systemClock } from '../../../src/platform/system-clock.ts';

/** What checks look at, on a machine that lacks nothing, with these flags. */
export function examinedWith(
  flags: Readonly<Record<string, string>>,
  machine: Partial<Examined['machine']> = {},
): Examined {
  const { values } = resolveConfiguration(buildSettings(), {
    flags: new Map(Object.entries(flags)),
    environment: {},
    file: undefined,
    otherVariables: [],
    mistakes: [],
  });
  return {
    values,
    machine: { nodeVersion: '24.1.0', memory: 2 ** 34, openFiles: 65_536, user: process.getuid?.(), ...machine },
    clock: systemClock,
    logger: pino({ level: 'silent' }),
  };
}
