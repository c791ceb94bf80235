import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { describePace, paceOf, progressStyle, startProgress } from '../../../src/cli/progress.ts';
import type { Clock } from '../../../src/ports/clock.ts';

/** A clock that stands until it is moved. */
function clockOf(): Clock & { time: number } {
  const clock = { time: 0, now: () => clock.time, elapsed: () => clock.time, sleep: () => Promise.resolve() };
  return clock;
}

function terminal(): PassThrough & { isTTY: true; columns: number } {
  return Object.assign(new PassThrough(), { isTTY: true as const, columns: 120 });
}

const written = (stream: PassThrough): string => String(stream.read() ?? '');

test("only a terminal that is nobody's build server shows a bar", () => {
  expect(progressStyle(terminal(), false, {})).toBe('bar');
  expect(progressStyle(terminal(), false, { CI: '' })).toBe('bar');
  expect(progressStyle(terminal(), false, { CI: 'true' })).toBe('lines');
  expect(progressStyle(new PassThrough(), false, {})).toBe('lines');
  expect(progressStyle(terminal(), true, {})).toBe('json');
});

test('a bar tells share, rate and time left, and is gone when the work is over', () => {
  const stream = terminal();
  const clock = clockOf();
  const progress = startProgress({ stream, style: 'bar', clock, unit: 'commands', total: 4000 });
  clock.time = 2000;
  progress.update(1000);
  progress.end();
  const text = written(stream);
  expect(text).toContain('1,000 of 4,000 commands, 500 a second, 6 s left');
  expect(text).toContain('\u2588\u2591');
  // Back to the first column, and the whole line cleared.
  expect(text.endsWith('\u001b[1G\u001b[2K')).toBe(true);
});

test('what is said beside a bar stands in a line of its own, and the bar goes on below it', () => {
  const stream = terminal();
  const progress = startProgress({ stream, style: 'bar', clock: clockOf(), unit: 'commands', total: 10 });
  progress.update(3);
  progress.aside(() => stream.write('The queue is full.\n'));
  const text = written(stream);
  progress.end();
  expect(text).toContain('\u001b[2KThe queue is full.\n');
  expect(text.slice(text.indexOf('full.'))).toContain('3 of 10 commands');
});

test('lines come at most every ten seconds, and only when there is news', () => {
  const stream = new PassThrough();
  const clock = clockOf();
  using progress = startProgress({ stream, style: 'lines', clock, unit: 'sessions', total: undefined });
  for (const [time, done] of [
    [1_000, 1],
    [9_999, 2],
    [10_000, 3],
    [15_000, 4],
    [20_001, 5],
  ] as const) {
    clock.time = time;
    progress.update(done);
  }
  expect(written(stream)).toBe('3 sessions, 0 a second\n5 sessions, 0 a second\n');
});

test('JSON lines tell the same for programs', () => {
  const stream = new PassThrough();
  const clock = clockOf();
  using progress = startProgress({ stream, style: 'json', clock, unit: 'bytes', total: 100_000 });
  clock.time = 10_000;
  progress.update(25_000);
  expect(JSON.parse(written(stream))).toEqual({
    progress: { unit: 'bytes', done: 25_000, total: 100_000, per_second: 2500, seconds_left: 30 },
  });
});

test.each([
  [0, 10, 0, '0 of 10 commands, 0 a second'],
  [12, 10, 1000, '12 of 10 commands, 12 a second, 0 s left'],
  [1, 200, 1000, '1 of 200 commands, 1 a second, 3 min 19 s left'],
  [1, 7300, 1000, '1 of 7,300 commands, 1 a second, 2 h 1 min left'],
])('%i of %i after %i ms reads %s', (done, total, milliseconds, text) => {
  expect(describePace(paceOf(done, total, milliseconds), 'commands')).toBe(text);
});
