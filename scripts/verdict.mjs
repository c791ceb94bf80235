/**
 * What a test run amounts to. Stricter than vitest: what was skipped, is still to do, never ran or passed only when
 * repeated has not passed, so it failed, unless it stands by its full name in `test/left-out.json`.
 *
 * @typedef {object} Outcome one test, or one thing that went wrong outside of any test
 * @property {string} name full name: `path > suite > test`
 * @property {'passed' | 'failed' | 'skipped' | 'pending' | 'repeated' | 'broken'} state
 *
 * @typedef {object} LeftOut a test that is known not to run everywhere, and why
 * @property {string} name
 * @property {string} reason
 *
 * @typedef {object} Verdict
 * @property {number} passed
 * @property {number} failed
 * @property {LeftOut[]} leftOut what was skipped with a reason
 * @property {string[]} complaints one line for each failure that vitest does not report as one
 */

/**
 * Judges a run. `whole` says that all suites ran: then a name in the list that no test bears is a failure as well.
 *
 * @param {readonly Outcome[]} outcomes
 * @param {readonly LeftOut[]} list
 * @param {boolean} whole
 * @returns {Verdict}
 */
export function judge(outcomes, list, whole) {
  /** @type {Verdict} */
  const verdict = { passed: 0, failed: 0, leftOut: [], complaints: [] };
  /** @param {string} complaint */
  const fail = (complaint) => {
    verdict.failed += 1;
    verdict.complaints.push(complaint);
  };
  const reasons = new Map(list.map((entry) => [entry.name, entry]));

  for (const { name, state } of outcomes) {
    const excused = state === 'skipped' ? reasons.get(name) : undefined;
    if (state === 'passed') verdict.passed += 1;
    else if (excused !== undefined) verdict.leftOut.push(excused);
    else if (state === 'failed') verdict.failed += 1;
    else fail(`${complaintOf[state]}: ${name}`);
  }

  if (whole) {
    const names = new Set(outcomes.map(({ name }) => name));
    for (const { name } of list) if (!names.has(name)) fail(`listed in test/left-out.json, but no such test: ${name}`);
  }
  if (verdict.passed + verdict.failed === 0) fail('no test ran');
  return verdict;
}

const complaintOf = {
  skipped: 'skipped or to do',
  pending: 'never ran',
  repeated: 'passed only when repeated',
  broken: 'error outside of any test',
};

/**
 * The run's last line.
 *
 * @param {Pick<Verdict, 'passed' | 'failed'>} verdict
 */
export function lastLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}

/**
 * The entries of a left-out list. Throws a `TypeError` unless each has a name and a reason, and no name stands twice.
 *
 * @param {unknown} value what `test/left-out.json` holds
 * @returns {LeftOut[]}
 */
export function parseLeftOut(value) {
  if (!Array.isArray(value)) throw new TypeError('test/left-out.json must hold an array');
  const names = new Set();
  for (const entry of value) {
    if (typeof entry?.name !== 'string' || typeof entry.reason !== 'string' || entry.reason.trim() === '') {
      throw new TypeError(`test/left-out.json: not {"name", "reason"}: ${JSON.stringify(entry)}`);
    }
    if (names.has(entry.name)) throw new TypeError(`test/left-out.json: listed twice: ${entry.name}`);
    names.add(entry.name);
  }
  return value;
}
