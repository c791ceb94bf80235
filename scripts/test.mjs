/**
 * `npm test [SUITE…]`: installs and builds what is missing, brings what the suites need, runs them in one go, and ends
 * with the line `N passed, N failed`. Exits 0 only when everything ran and passed, and nothing was left behind.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { survivors } from './leftovers.mjs';
import { absences, needs } from './needs.mjs';
import { build, installDependencies, Refusal, requireNode, root } from './project.mjs';
import { suites } from './suites.mjs';
import { lastLine } from './verdict.mjs';

/** @import { Provided } from './needs.mjs' */
/** @import { Verdict } from './verdict.mjs' */

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'macp-persist-test-')));
const verdictFile = join(scratch, 'verdict.json');
const temporary = join(scratch, 'tmp');
mkdirSync(temporary);

/** What stops at SIGINT and SIGTERM. Without it, the services that were brought up would be left to run. */
const interruption = new AbortController();
/** @param {NodeJS.Signals} signal */
const interrupt = (signal) => interruption.abort(signal);
process.on('SIGINT', interrupt).on('SIGTERM', interrupt);

/** @returns {Promise<Verdict>} */
async function main() {
  requireNode();
  const asked = chooseSuites(process.argv.slice(2));
  const leftOut = asked.flatMap((suite) => leaveOut(suite) ?? []);
  const chosen = asked.filter((suite) => leaveOut(suite) === undefined);
  for (const { name, reason } of leftOut) console.log(`left out: ${name} (${reason})`);
  if (chosen.length === 0) throw new Refusal('No suite is left to run.');
  installDependencies();
  build();
  const provided = [];
  try {
    for (const need of new Set(chosen.flatMap((suite) => suite.needs))) {
      provided.push(await provide(need));
      if (interruption.signal.aborted) throw new Refusal('Interrupted.');
    }
    const code = await runVitest(
      chosen.map(({ name }) => name),
      Object.assign({}, ...provided.map(({ environment }) => environment)),
    );
    const verdict = withLeftovers(readVerdict(code));
    return { ...verdict, leftOut: [...leftOut, ...verdict.leftOut] };
  } finally {
    endSurvivors();
    for (const { close } of provided.reverse()) await close?.();
  }
}

/** @param {string[]} names */
function chooseSuites(names) {
  if (names.length === 0) return suites.filter(({ separate }) => separate !== true);
  const known = suites.map(({ name }) => name);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Refusal(`There is no suite ${wrong}. The suites: ${known.join(', ')}.`);
  return suites.filter(({ name }) => names.includes(name));
}

/**
 * What to say of a suite that this machine cannot run.
 *
 * @param {typeof suites[number]} suite
 */
function leaveOut({ name, needs: needed }) {
  const [reason] = needed.flatMap((need) => absences[need]?.() ?? []);
  return reason === undefined ? undefined : { name: `suite ${name}`, reason };
}

/**
 * @param {string} need
 * @returns {Promise<Provided>}
 */
async function provide(need) {
  const provider = needs[need];
  if (provider === undefined) throw new TypeError(`scripts/needs.mjs does not know ${need}`);
  return (await provider(scratch)) ?? {};
}

/**
 * @param {string[]} projects
 * @param {Record<string, string>} environment
 */
async function runVitest(projects, environment) {
  const vitest = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      `--reporter=${join(root, 'scripts/verdict-reporter.mjs')}`,
      ...projects.map((name) => `--project=${name}`),
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        ...environment,
        TMPDIR: temporary,
        TEST_VERDICT_FILE: verdictFile,
        TEST_LEFT_OUT_FILE: join(root, 'test/left-out.json'),
        TEST_WHOLE_RUN: process.argv.length === 2 ? 'yes' : 'no',
      },
    },
  );
  const stop = () => void vitest.kill(interruption.signal.reason);
  interruption.signal.addEventListener('abort', stop);
  const [code] = await once(vitest, 'exit');
  interruption.signal.removeEventListener('abort', stop);
  return code;
}

/**
 * @param {number | null} code what vitest exited with; null when a signal ended it
 * @returns {Verdict}
 */
function readVerdict(code) {
  if (!existsSync(verdictFile)) throw new Refusal(`vitest ended without a result (${code ?? 'killed'}).`);
  /** @type {Verdict} */
  const verdict = JSON.parse(readFileSync(verdictFile, 'utf8'));
  if (code === 0 || verdict.failed > 0) return verdict;
  return failing(verdict, `vitest exited with ${code ?? 'a signal'}, although no test failed`);
}

/**
 * @param {Verdict} verdict
 * @returns {Verdict}
 */
function withLeftovers(verdict) {
  const complaints = [
    ...endSurvivors().map(({ pid, command }) => `process left behind: ${pid} ${command}`),
    ...readdirSync(temporary).map((name) => `left behind in the temporary directory: ${name}`),
  ];
  return complaints.reduce(failing, verdict);
}

/** Kills what the tests left behind, until there is no more of it, and returns it. */
function endSurvivors() {
  /** @type {Map<number, { pid: number, command: string }>} */
  const ended = new Map();
  for (let found = survivors(temporary); found.length > 0; found = survivors(temporary)) {
    for (const survivor of found) {
      ended.set(survivor.pid, survivor);
      endAtOnce(survivor.pid);
    }
  }
  return [...ended.values()];
}

/** @param {number} pid */
function endAtOnce(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/**
 * @param {Verdict} verdict
 * @param {string} complaint
 * @returns {Verdict}
 */
function failing(verdict, complaint) {
  return { ...verdict, failed: verdict.failed + 1, complaints: [...verdict.complaints, complaint] };
}

/** @param {Verdict} verdict */
function print(verdict) {
  for (const { name, reason } of verdict.leftOut) console.log(`left out: ${name} (${reason})`);
  for (const complaint of verdict.complaints) console.log(`failed: ${complaint}`);
  console.log(lastLine(verdict));
}

try {
  const verdict = await main();
  print(verdict);
  process.exitCode = verdict.failed === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error);
  console.log(lastLine({ passed: 0, failed: 1 }));
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
