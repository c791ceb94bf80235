import { isDeepStrictEqual } from 'node:util';
import type { Mistake } from '../../configuration/mistakes.ts';
import type { Configuration } from '../../configuration/resolve.ts';
import type { Settings } from '../../configuration/settings.ts';
import { data, elsewhere } from './data-checks.ts';
import { directories, space, strangers } from './directory-checks.ts';
import { syncing } from './disk-checks.ts';
import { type Check, type Examined, type Finding, ok, problem, systemCode } from './finding.ts';
import { listening, serviceFile, tokenFile } from './http-checks.ts';
import { clock, memory, nodeVersion, openFiles } from './machine-checks.ts';

export type { Finding };

/** Everything that is looked at, in the order in which it is told. What a new store or queue needs is one line more. */
const checks: readonly Check[] = [
  nodeVersion,
  memory,
  openFiles,
  clock,
  directories,
  strangers,
  space,
  syncing,
  data,
  elsewhere,
  serviceFile,
  tokenFile,
  listening,
];

/** Looks at everything, one thing after the other, so that one does not slow down what another measures. */
export async function examine(examined: Examined): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    const found = await check(examined).catch(unexpected);
    // What several checks stumble over is told once.
    findings.push(...found.filter((finding) => !findings.some((told) => isDeepStrictEqual(told, finding))));
  }
  return findings;
}

/** What is found of settings that could be read. */
export function judgeConfiguration({ origins }: Pick<Configuration<Settings>, 'origins'>): Finding {
  const given = Object.entries(origins).filter(([, { from }]) => from !== 'default');
  const sources = [
    ...new Set(given.map(([, { from, name }]) => (from === 'file' ? name.replace(/, key .*/, '') : from))),
  ];
  const from = given.length === 0 ? '' : ` from ${sources.join(', ')}`;
  return ok('configuration', `${given.length} settings are given${from}; the others have their defaults`);
}

/** What is found of settings that are wrong: nothing else can be looked at then. */
export function judgeMistakes(mistakes: readonly Mistake[]): readonly Finding[] {
  return mistakes.map(({ source, problem: wrong }) =>
    problem('configuration', `${source}: ${wrong}`, 'correct it; nothing else can be looked at before'),
  );
}

function unexpected(error: unknown): readonly Finding[] {
  return [
    problem('doctor', `a check failed: ${error instanceof Error ? error.message : systemCode(error)}`, 'report it'),
  ];
}
