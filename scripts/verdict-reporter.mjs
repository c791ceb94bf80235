import { readFileSync, writeFileSync } from 'node:fs';
import { judge, parseLeftOut } from './verdict.mjs';

/** @import { Outcome } from './verdict.mjs' */
/** @import { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node' */

/**
 * A vitest reporter that judges the run and writes the verdict as JSON to the file that `TEST_VERDICT_FILE` names.
 * `TEST_LEFT_OUT_FILE` names the left-out list; `TEST_WHOLE_RUN` is `yes` when all suites run.
 *
 * @implements {Reporter}
 */
export default class VerdictReporter {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly { message?: string }[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const outcomes = [
      ...modules.flatMap(outcomesOf),
      ...unhandledErrors.map((error) => broken(`unhandled: ${error.message?.split('\n')[0]}`)),
    ];
    const list = parseLeftOut(JSON.parse(readFileSync(setting('TEST_LEFT_OUT_FILE'), 'utf8')));
    const verdict = judge(outcomes, list, setting('TEST_WHOLE_RUN') === 'yes');
    writeFileSync(setting('TEST_VERDICT_FILE'), JSON.stringify(verdict));
  }
}

/**
 * @param {TestModule} module
 * @returns {Outcome[]}
 */
function outcomesOf(module) {
  const file = module.relativeModuleId;
  const suites = [...module.children.allSuites()];
  return [
    ...module.errors().map(() => broken(file)),
    ...suites.flatMap((suite) => suite.errors().map(() => broken(`${file} > ${suite.fullName}`))),
    ...suites.filter(isEmpty).map((suite) => ({ name: `${file} > ${suite.fullName}`, state: skipped })),
    ...[...module.children.allTests()].map((test) => ({ name: `${file} > ${test.fullName}`, state: stateOf(test) })),
  ];
}

const skipped = /** @type {const} */ ('skipped');

/**
 * A suite in which there is nothing to run, as `describe.todo` leaves it.
 *
 * @param {TestSuite} suite
 */
function isEmpty(suite) {
  return suite.children.size === 0;
}

/**
 * @param {TestCase} test
 * @returns {Outcome['state']}
 */
function stateOf(test) {
  const { state } = test.result();
  return state === 'passed' && test.diagnostic()?.flaky ? 'repeated' : state;
}

/**
 * @param {string} name
 * @returns {Outcome}
 */
function broken(name) {
  return { name, state: 'broken' };
}

/** @param {string} name */
function setting(name) {
  const value = process.env[name];
  if (value === undefined) throw new TypeError(`${name} is not set: this reporter is run by scripts/test.mjs`);
  return value;
}
